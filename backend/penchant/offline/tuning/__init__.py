"""The search for settings that suit a log."""
