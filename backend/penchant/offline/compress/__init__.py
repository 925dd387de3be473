"""Smaller and faster encoders, and what that costs: measured before anything is kept."""
