"""The slow clock as one resumable job: from an encoder's training to its publication."""
