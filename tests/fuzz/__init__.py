"""Fuzzers of the compiled module: `make fuzz`."""
