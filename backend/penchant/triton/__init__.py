"""The seam to Triton."""
