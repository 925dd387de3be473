"""Compression: prune and quantize an encoder."""
