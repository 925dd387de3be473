"""The slow clock as one resumable job."""
