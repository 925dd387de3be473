"""Evaluation by replay: rank before each event, learn after it, strictly in time order."""
