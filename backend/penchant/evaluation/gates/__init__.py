"""Gates: whether a candidate may replace the encoder and the settings that serve now."""
