"""A release is made, served and taken back."""
