"""Releases: build, judge, publish, roll back."""
