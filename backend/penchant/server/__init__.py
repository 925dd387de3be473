"""The composition root, dispatch, the in-process server, and the seam to Triton."""
