"""Calibrated click probabilities of ads."""
