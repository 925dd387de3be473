"""Instruction counts of the compiled module's hot calls, which repeat where seconds don't."""
