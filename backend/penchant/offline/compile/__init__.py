"""ONNX graphs to TensorRT engines, also on a machine without a GPU."""
