"""Names for users from which nobody can tell who they are, and which a key can replace.

A user's digest is SHA-256 of the id. Each key of a chain replaces the digest by HMAC-SHA-256 of it
(RFC 2104), and a pseudonym is the digest after n keys, with n before it:

    d_0 = SHA-256(id),   d_n = HMAC-SHA-256(key_n, d_n-1),   name = "p<n>~" base64url(d_n)

So a stored name takes one more key without anybody knowing the id, and the names of one chain tell
how far each has come. A tombstone bears the name too: with n = 0 for a user under a plain id.

>>> key = bytes(32)
>>> once = pseudonym("ann", [key])
>>> once
'p1~rBrIt0MxrNcmJQA7JE3W9-CEbP2N6GgNm0N_F9_L0TE'
>>> renamed(once, b"another") == pseudonym("ann", [key, b"another"])
True
>>> renamed(name_of("ann"), key) == renamed("ann", key) == once
True
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

KEY_BYTES = 32
"""Least size of a key: that of the digest (RFC 2104, section 3)."""

_FORM = re.compile(r"p(0|[1-9][0-9]{0,5})~([A-Za-z0-9_-]{43})")


class StoredName(str):
    """The name of a user in the store, and what the caller calls the user.

    >>> name = StoredName("p1~...", "ann")
    >>> name, called(name), called("ben")
    ('p1~...', 'ann', 'ben')
    """

    __slots__ = ("caller_name",)
    caller_name: str

    def __new__(cls, stored: str, caller_name: str) -> StoredName:
        """The stored name with the caller's."""
        name = super().__new__(cls, stored)
        name.caller_name = caller_name
        return name


def called(user: str) -> str:
    """What the caller calls a user."""
    return user.caller_name if isinstance(user, StoredName) else user


def fingerprint(key: bytes) -> str:
    """A short digest that tells a key from others without giving it away."""
    return hashlib.sha256(b"penchant pseudonym key\0" + key).hexdigest()[:16]


def keys_applied(user: str) -> int:
    """The number of keys in a stored name; 0 for a plain id.

    >>> keys_applied("ann"), keys_applied(pseudonym("ann", [bytes(32)] * 3))
    (0, 3)
    """
    found = _FORM.fullmatch(user)
    return int(found[1]) if found else 0


def name_of(user: str) -> str:
    """The name of a stored user by which a tombstone is found: a pseudonym is its own.

    >>> name_of("ann")[:8], name_of(pseudonym("ann", [bytes(32)]))[:8]
    ('p0~SZFeD', 'p1~rBrIt')
    """
    return user if _FORM.fullmatch(user) else _name(0, _digest(user))


def pseudonym(user: str, keys: Sequence[bytes]) -> str:
    """The stored name of a user whom a caller calls by an id, whatever that id looks like.

    Args:
        user: the caller's id.
        keys: the chain, oldest first; empty: the id itself.

    Cost: about 2 microseconds, and 2 for each key.
    """
    if not keys:
        return user
    digest = _digest(user)
    for key in keys:
        digest = hmac.digest(key, digest, "sha256")
    return _name(len(keys), digest)


def renamed(user: str, key: bytes) -> str:
    """A stored user, or the name of a tombstone, after one more key."""
    found = _FORM.fullmatch(user)
    digest = base64.urlsafe_b64decode(found[2] + "=") if found else _digest(user)
    return _name(keys_applied(user) + 1, hmac.digest(key, digest, "sha256"))


def _digest(user: str) -> bytes:
    return hashlib.sha256(user.encode()).digest()


def _name(keys: int, digest: bytes) -> str:
    return f"p{keys}~{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"
