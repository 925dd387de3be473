"""The release demo: a release is made, served and rolled back under load."""
