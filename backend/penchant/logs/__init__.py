"""Event logs: files, stores and data sets, read into columns."""
