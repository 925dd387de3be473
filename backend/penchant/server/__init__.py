"""The composition root, dispatch, and the seam to Triton."""
