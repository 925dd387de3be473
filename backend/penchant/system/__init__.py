"""Durable files, optional packages and the types of command-line options."""
