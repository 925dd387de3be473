"""The slow clock as one resumable job: a plan, the state of a run, and what runs the steps."""
