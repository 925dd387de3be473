"""Compression: a smaller or faster encoder, as long as it ranks nearly as well."""
