"""The smart home's encoder and its training sentences."""
