"""The games demo: simulated players of Debian's games."""
