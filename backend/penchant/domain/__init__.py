"""Types, errors and the mathematics of interest: pure functions over NumPy."""
