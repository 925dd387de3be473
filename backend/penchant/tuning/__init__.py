"""Tuning: a search for the settings that rank a log best."""
