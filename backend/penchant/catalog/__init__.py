"""Items and their vectors, shared by every reader process."""
