"""Rows as the server's functions take them.

>>> changes({b"a": b"1", b"b": None})
[b'1', b'a', b'1', b'1', b'b']
>>> compared({b"b": None})
[b'1', b'b', b'']
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def changes(rows: Mapping[bytes, bytes | None]) -> list[bytes]:
    """The `puts` and `deletes` of new rows; None: it is deleted."""
    puts = [word for name, value in rows.items() if value is not None for word in (name, value)]
    deletes = [name for name, value in rows.items() if value is None]
    return [b"%d" % (len(puts) // 2), *puts, b"%d" % len(deletes), *deletes]


def compared(rows: Mapping[bytes, bytes | None]) -> list[bytes]:
    """The number of rows as they were read, and the name and a digest of each."""
    words = [word for name, value in rows.items() for word in (name, _digest(value))]
    return [b"%d" % len(rows), *words]


def _digest(value: bytes | None) -> bytes:
    if value is None:
        return b""
    return hashlib.sha1(value, usedforsecurity=False).hexdigest().encode()
