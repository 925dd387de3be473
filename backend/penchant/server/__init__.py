"""The composition root, the dispatch of calls, and the seam to Triton."""
