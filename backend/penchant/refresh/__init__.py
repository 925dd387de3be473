"""Jobs that compute derived state anew from the log: item vectors and users' records."""
