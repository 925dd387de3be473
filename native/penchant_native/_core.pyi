"""The compiled functions, as `src/module.cpp` binds them."""

INTERFACE: int
"""Grows with every change of a signature here; a backend takes the number that it knows alone."""

def crc32(data: bytes, start: int = 0) -> int:
    """The CRC-32 of some bytes, as `zlib.crc32` computes it."""
