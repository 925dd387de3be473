"""A log that was shipped to date-partitioned Parquet files: its commits, its files, its readers."""
