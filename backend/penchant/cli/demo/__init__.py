"""`penchant demo`: MovieLens-100K as live traffic against a real server, measured."""
