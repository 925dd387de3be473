"""The operands of one commit, as they lie in a user's outbox until they are settled.

>>> unpacked(b"17:" + packed([(b"N1", b"one"), (b"W", b"two")]))
(17, [(b'N1', b'one'), (b'W', b'two')])
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

_LENGTHS = struct.Struct("<II")

Operands = list[tuple[bytes, bytes]]
"""Keys of rows, and what is added to each, in order."""


def packed(operands: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The payload of an entry; the server puts the version of its commit in front."""
    return b"".join(
        [_LENGTHS.pack(len(key), len(operand)) + key + operand for key, operand in operands]
    )


def version_of(entry: bytes) -> int:
    """The version of an entry's commit, also where its operands can't be read.

    >>> version_of(b"17:damaged")
    17
    """
    return int(entry.partition(b":")[0] or 0)


def unpacked(entry: bytes) -> tuple[int, Operands]:
    """The version and the operands of an entry; raises ValueError for one of another form."""
    version, colon, payload = entry.partition(b":")
    if not colon:
        raise ValueError("outbox: got no version")
    operands: Operands = []
    at = 0
    while at < len(payload):
        try:
            key_size, size = _LENGTHS.unpack_from(payload, at)
        except struct.error as error:
            raise ValueError(f"outbox: {error}") from error
        at += _LENGTHS.size
        operands.append(
            (payload[at : at + key_size], payload[at + key_size : at + key_size + size])
        )
        at += key_size + size
    if at != len(payload):
        raise ValueError(f"outbox: got {len(payload)} bytes, expected {at}")
    return int(version), operands
