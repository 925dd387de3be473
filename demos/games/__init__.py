"""Simulated players are recommended Debian's games."""
