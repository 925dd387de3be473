"""The middle clock: item vectors from texts and the event log together, in closed form."""
