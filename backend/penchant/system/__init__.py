"""The operating system's side: files written whole, packages that may be missing, option types."""
