"""Where users, logs and counters are kept: one protocol, several engines."""
