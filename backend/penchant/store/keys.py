"""Every key of the store, by one encoder and one decoder.

A key is a kind byte and its parts. Text is escaped so that no id can reach into another's keys:
0x00 becomes 0x00 0xFF and the part ends with 0x00 0x01, which also keeps the order of the texts.
Numbers are big-endian, so that a scan meets them in order.

    >>> key = encode(Kind.LOG, "u1", 7)
    >>> decode(key)
    (<Kind.LOG: 76>, ['u1', 7])
"""

from __future__ import annotations

from enum import IntEnum

_ESCAPED_ZERO = b"\x00\xff"
_END_OF_TEXT = b"\x00\x01"
_TEXT, _NUMBER = 0x54, 0x4E


class Kind(IntEnum):
    """What a key holds."""

    USER = ord("U")
    """(user): the record and the cache of its fold."""
    LOG = ord("L")
    """(user, event digest): the accepted event; the log and the index of known ids in one."""
    ITEM = ord("I")
    """(item id): the item as it was put."""
    HEAD = ord("H")
    """(): the catalog's head."""
    CHANGE = ord("C")
    """(position): the catalog log."""
    COUNTERS = ord("N")
    """(item number): decayed sums over all users."""
    TEXT_VECTOR = ord("V")
    """(encoder version, text digest): a text's vector."""
    RESIDUAL = ord("R")
    """(encoder version, item number): what the event log adds to the text's vector."""
    RELEASE = ord("P")
    """(position): the log of what was published."""
    TRIAL = ord("T")
    """(): the release on rollout."""
    OWNED = ord("O")
    """(user): the numbers of the items that are the user's own."""
    SUMS = ord("S")
    """(): what was counted in its rollout."""
    LEDGER = ord("G")
    """(user): reserved impressions."""
    MONEY = ord("M")
    """(digest of a budget's key): what was spent and what is held."""


def encode(kind: Kind, *parts: str | int) -> bytes:
    """The key of a kind and its parts; with fewer parts, the prefix of all keys that go on."""
    out = bytearray([kind])
    for part in parts:
        if isinstance(part, int):
            out.append(_NUMBER)
            out += part.to_bytes(8, "big")
        else:
            out.append(_TEXT)
            out += part.encode().replace(b"\x00", _ESCAPED_ZERO) + _END_OF_TEXT
    return bytes(out)


def decode(key: bytes) -> tuple[Kind, list[str | int]]:
    """The kind and the parts of a key; raises ValueError for bytes that `encode` never makes."""
    kind, position = Kind(key[0]), 1
    parts: list[str | int] = []
    while position < len(key):
        tag, position = key[position], position + 1
        if tag == _NUMBER:
            parts.append(int.from_bytes(key[position : position + 8], "big"))
            position += 8
        elif tag == _TEXT:
            end = key.index(_END_OF_TEXT, position)
            parts.append(key[position:end].replace(_ESCAPED_ZERO, b"\x00").decode())
            position = end + len(_END_OF_TEXT)
        else:
            raise ValueError(f"key tag: got {tag:#x}, expected {_TEXT:#x} or {_NUMBER:#x}")
    return kind, parts
