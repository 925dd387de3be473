"""Gates: whether a candidate may serve."""
