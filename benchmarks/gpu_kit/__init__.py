"""Brings the GPU's benchmark to a machine that reaches no package registry."""
