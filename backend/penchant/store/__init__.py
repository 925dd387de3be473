"""Storage of users, logs, items and counters: one protocol, several engines."""
