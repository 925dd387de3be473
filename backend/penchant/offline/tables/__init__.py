"""Tables in files, row by row: read, check, send, and keep those that do not fit."""
