"""Jobs that run beside the server: import, export, training."""
