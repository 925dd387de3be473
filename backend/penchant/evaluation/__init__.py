"""Evaluation: a log replayed event by event, metrics of rankings, baselines, and gates."""
