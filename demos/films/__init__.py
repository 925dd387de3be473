"""The films demo: MovieLens as live traffic."""
