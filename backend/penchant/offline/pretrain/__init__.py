"""Continued pretraining: an encoder reads the texts of a domain that is far from what it knows."""
