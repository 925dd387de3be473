"""Lays the backend out for a Triton, and runs one."""
