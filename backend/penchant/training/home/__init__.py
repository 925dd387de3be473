"""The smart home's encoder: its training sentences, and the adapter that comes with Penchant."""
