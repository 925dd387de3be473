"""Penchant: per-user online learning and ranking inside NVIDIA Triton Inference Server."""
