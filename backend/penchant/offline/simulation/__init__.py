"""People who are made up, so that the truth about them is known."""
