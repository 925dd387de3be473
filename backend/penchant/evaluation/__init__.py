"""Evaluation: replay a log prequentially, measure, compare, gate."""
