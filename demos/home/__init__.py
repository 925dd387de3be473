"""The home demo: a smart home that understands, asks back and learns habits."""
