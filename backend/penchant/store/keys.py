"""The keys of the store: one encoder and one decoder for all.

A key is a kind byte followed by its parts. Text is escaped, so that no id can imitate another key:
0x00 becomes 0x00 0xFF, and the part ends with 0x00 0x01, which also preserves the order of texts.
Numbers are big-endian, so that a scan returns them in order.

    >>> key = encode(Kind.LOG, "u1", 7)
    >>> decode(key)
    (<Kind.LOG: 76>, ['u1', 7])
"""

from __future__ import annotations

from enum import IntEnum, unique

_ESCAPED_ZERO = b"\x00\xff"
_END_OF_TEXT = b"\x00\x01"
_TEXT, _NUMBER = 0x54, 0x4E
_TEXT_BYTE, _NUMBER_BYTE = bytes([_TEXT]), bytes([_NUMBER])
_KIND_BYTES = [bytes([number]) for number in range(256)]
"""By kind; a look-up, since every row that feedback touches has a key."""


@unique  # Two kinds of one number would be one.
class Kind(IntEnum):
    """The kinds of keys, each with its parts and its value."""

    USER = ord("U")
    """(user): the record and its cached fold."""
    LOG = ord("L")
    """(user, event digest): an accepted event; both the log and the index of known event ids."""
    ITEM = ord("I")
    """(item id): an item as it was put."""
    HEAD = ord("H")
    """(): the catalog's head."""
    CHANGE = ord("C")
    """(position): an entry of the catalog log."""
    COUNTERS = ord("N")
    """(item number): decayed counters over all users."""
    CONTRIBUTION = ord("K")
    """(item number, user): one user's part of an item's counters; user "": the catalog's credit."""
    RECOUNTED = ord("J")
    """(position): items whose counters another process than the writer of feedback changed."""
    NEWEST = ord("W")
    """(): time of the newest event that was ever accepted."""
    TEXT_VECTOR = ord("V")
    """(encoder version, text digest): the vector of a text."""
    RESIDUAL = ord("R")
    """(encoder version or name of a set, item number): the residual of an item."""
    RESIDUAL_SET = ord("X")
    """(encoder version): the name of the set of residuals in use."""
    RELEASE = ord("P")
    """(position): an entry of the log of releases."""
    ROLLOUT = ord("T")
    """(): the running rollout."""
    OWNED = ord("O")
    """(user): the numbers of the user's own items."""
    SUMS = ord("S")
    """(): the sums of the running or the last rollout."""
    LEDGER = ord("G")
    """(user): the ledger of reserved impressions."""
    BUDGET = ord("M")
    """(digest of a budget's key): the money spent and held."""
    RESERVED = ord("Q")
    """(user, digest of a recommendation's id): the impressions reserved for it, for good."""
    PAST_LEDGER = ord("A")
    """(user): the ledger as a release left it that did not log reservations."""
    BALANCE = ord("B")
    """(digest of a budget's key, campaign, day): what no user's log accounts for any more."""
    SETTINGS = ord("E")
    """(): the settings that the store's server was given."""
    ACCEPTED = ord("Y")
    """(): the number of events that were ever accepted."""
    REFRESHED = ord("F")
    """(): what the last refresh learnt from, and how it went."""
    TOMBSTONE = ord("D")
    """(name of a forgotten user): the receipt, and the time up to which events are refused."""
    PSEUDONYMS = ord("Z")
    """(): which keys made the names in this store."""
    SHIPPING = ord("s")
    """(): where the log is shipped to, and how far that has come."""
    SHIP_NOTE = ord("n")
    """(position): a change of the log that shipping can't see by state versions; merged, never
    written over."""
    ERASURE = ord("e")
    """(a tombstone's name): how far its user is gone from the shipped files."""


USER_PLACE = {
    Kind.USER: 0,
    Kind.LOG: 0,
    Kind.OWNED: 0,
    Kind.LEDGER: 0,
    Kind.RESERVED: 0,
    Kind.PAST_LEDGER: 0,
    Kind.CONTRIBUTION: 1,
}
"""The kinds whose keys hold a user's id, each with its place among the parts: what is forgotten,
exported and renamed. A tombstone stays, under a digest."""

BY_USER = tuple(kind for kind, place in USER_PLACE.items() if place == 0)
"""Those of them whose keys begin with the user's id."""


def user_of(key: bytes) -> str | None:
    """The user whose place a key is in; None: it is no user's.

    >>> user_of(encode(Kind.CONTRIBUTION, 7, "u1")), user_of(encode(Kind.COUNTERS, 7))
    ('u1', None)
    """
    place = USER_PLACE.get(key[0]) if key else None  # type: ignore[call-overload] # By its number.
    if place is None:
        return None
    try:
        user = decode(key)[1][place]
    except (ValueError, IndexError):
        return None
    return user if isinstance(user, str) else None


def encode(kind: Kind, *parts: str | int) -> bytes:
    """The key of a kind and its parts; with fewer parts, the prefix of all longer keys."""
    out = _KIND_BYTES[kind]
    for part in parts:
        if isinstance(part, int):
            out += _NUMBER_BYTE + part.to_bytes(8, "big")
            continue
        text = part.encode()
        if 0 in text:
            text = text.replace(b"\x00", _ESCAPED_ZERO)
        out += _TEXT_BYTE + text + _END_OF_TEXT
    return out


def decode(key: bytes) -> tuple[Kind, list[str | int]]:
    """The kind and the parts of a key; raises ValueError for bytes that are not a key."""
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
