"""A real catalogue of games, and where it comes from."""
