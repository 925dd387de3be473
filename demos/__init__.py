"""Demonstrations of the whole loop, each on a real Triton; not part of the wheel."""
