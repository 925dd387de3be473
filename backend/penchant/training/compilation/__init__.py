"""Compilation: ONNX to TensorRT engines."""
