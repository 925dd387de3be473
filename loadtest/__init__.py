"""The load test: open-loop sessions on a real server. `make loadtest` runs it."""
