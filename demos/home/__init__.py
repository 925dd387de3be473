"""A smart home that understands, asks and learns."""
