"""Tables in files: CSV, TSV, JSON lines and Parquet."""
