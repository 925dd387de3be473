"""From a log to a release: look, choose by validation, fit, measure, write a store to serve."""
