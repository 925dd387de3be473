"""Demos of the whole loop, each on a real Triton. They are not part of the wheel."""
