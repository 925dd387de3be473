"""The middle clock: fit item vectors to the log."""
