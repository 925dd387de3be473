"""Watch Penchant learn from MovieLens."""
