"""Calibration: from logged impressions to click probabilities that hold."""
