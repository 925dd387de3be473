"""Compilation of ONNX graphs into TensorRT engines."""
