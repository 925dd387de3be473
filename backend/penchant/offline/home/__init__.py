"""Sentences of a smart home, made of Home Assistant's own templates, and how they are split."""
