"""Simulated people whose true tastes are known, to check what can only be checked so."""
