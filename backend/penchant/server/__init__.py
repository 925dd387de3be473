"""The app, and what carries calls to it."""
