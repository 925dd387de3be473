"""Calibrated click probabilities."""
