"""Serving engines: texts to unit vectors, on ONNX Runtime or TensorRT."""
