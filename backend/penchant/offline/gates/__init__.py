"""What a candidate must show before it may serve in the place of the baseline."""
