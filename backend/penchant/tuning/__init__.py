"""Search for settings that suit a log."""
