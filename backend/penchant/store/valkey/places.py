"""Where each row lies: a place is one hash under one hash tag, which is changed atomically.

| place | tag | rows |
|---|---|---|
| of a user | `NS:u:USER` | every kind of `keys.USER_PLACE` |
| of the counts, in shards | `NS:n:SHARD` | `COUNTS`: what all users' events add up to |
| of a budget | `NS:b:DIGEST` | BUDGET, BALANCE |
| of notes | `NS:notes` | SHIP_NOTE |
| of the catalog | `NS:catalog` | all others |

Rows lie in the hash `{TAG}:r`, by a field that is the key without what the tag says already. Beside
them are `VERSION`, which each commit raises, and `COMMIT`, the id of the last one. The version is
the server's time in microseconds, or one more than the version before, so that a place that was
deleted never has an old version again.

>>> place, field = Places("shop").of(encode(Kind.LEDGER, "u1"))
>>> place.rows, field
(b'{shop:u:u1}:r', b'G')
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penchant.store.keys import USER_PLACE, Kind, encode, user_of

COUNTS = frozenset({Kind.COUNTERS, Kind.NEWEST, Kind.ACCEPTED, Kind.SUMS, Kind.RECOUNTED})
BUDGETS = frozenset({Kind.BUDGET, Kind.BALANCE})
PLACE_WORDS = frozenset(
    {
        *("u", "n", "b", "notes", "catalog", "users", "contributions", "pending", "budgets"),
        *("tenants", "notice", "server", "servers", "lease", "file", "files"),
    }
)
"""What stands behind the namespace in the keys of a store: those above, those of its indexes, and
those of what is no row. No other namespace may go on with one of them: the user `bob` of `shop:u`
would lie where the user `u:bob` of `shop` does."""
_TENANTS = "tenants"
SHARDS = 16
"""Shards of the counts, and of each index."""
VERSION, COMMIT = b"\x00v", b"\x00c"

_REMEMBERED = 4096

_SINGLE = frozenset({Kind.USER, Kind.OWNED, Kind.LEDGER, Kind.PAST_LEDGER})
"""Kinds with one row a user."""
_TEXT_TAG, _END = b"T", b"\x00\x01"


@dataclass(frozen=True, slots=True)
class Place:
    """One place."""

    tag: bytes
    kind: str
    """`user`, `credit`, `counts`, `budget`, `notes` or `catalog`; the catalog's own credit is no
    user's."""
    user: str = ""

    @property
    def rows(self) -> bytes:
        """The hash of the rows."""
        return b"{%s}:r" % self.tag

    @property
    def outbox(self) -> bytes:
        """The list of a user's operands that are not settled yet."""
        return b"{%s}:o" % self.tag

    @property
    def index(self) -> bytes:
        """The sorted set of the catalog's keys, or of changed counts by version."""
        return b"{%s}:i" % self.tag

    @property
    def applied(self) -> bytes:
        """The sorted set of users by the last version whose operands are applied here."""
        return b"{%s}:a" % self.tag

    @property
    def line(self) -> bytes:
        """The hash of the writers that lost at a user's place, or a budget's, while some wait."""
        return b"{%s}:l" % self.tag


class UserPrefix(NamedTuple):
    """A prefix of keys of users, taken apart."""

    kind: int
    text: bytes
    """The beginning of the users' escaped ids, or a whole one."""
    field: bytes | None
    """The prefix of fields within the place of the one user; None: the id is not complete."""


class Places:
    """The places and indexes of one namespace."""

    def __init__(self, namespace: str) -> None:
        """Names them."""
        self._found: dict[bytes, tuple[Place, bytes]] = {}
        """Some of the last answers: a transaction asks for each key several times."""
        self._name = namespace.encode()
        self.catalog = Place(self._name + b":catalog", "catalog")
        self.notes = Place(self._name + b":notes", "notes")
        self.counts = tuple(Place(b"%s:n:%d" % (self._name, n), "counts") for n in range(SHARDS))
        self.user_indexes = self._indexes(b"users")
        """Sorted sets of users' escaped ids: who has rows."""
        self.contribution_indexes = self._indexes(b"contributions")
        """Sorted sets of the keys of contributions, which lie with their users."""
        self.pending = self._indexes(b"pending")
        """Sorted sets of users and servers by the time at which operands were announced."""
        self.budget_index = b"{%s:budgets}" % self._name
        """Sorted set of budgets' digests."""

    def _indexes(self, name: bytes) -> tuple[bytes, ...]:
        return tuple([b"{%s:%s:%d}" % (self._name, name, shard) for shard in range(SHARDS)])

    def user(self, user: str) -> Place:
        """The place of a user."""
        kind = "user" if user else "credit"
        return Place(b"%s:u:%s" % (self._name, user.encode()), kind, user)

    def budget(self, digest: bytes) -> Place:
        """The place of a budget, by the eight bytes of its digest."""
        return Place(b"%s:b:%s" % (self._name, digest.hex().encode()), "budget")

    def of(self, key: bytes) -> tuple[Place, bytes]:
        """The place of a key, and its field there."""
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._found[key] = self._of(key)
        return found

    def _of(self, key: bytes) -> tuple[Place, bytes]:
        kind = key[0] if key else 0
        if kind in USER_PLACE:
            simple = _simple_user(key)
            if simple is not None:
                return self.user(simple[0]), simple[1]
            user = user_of(key)
            field = None if user is None else _user_field(key, user)
            if user is not None and field is not None:
                return self.user(user), field
        elif kind == Kind.SHIP_NOTE:
            return self.notes, key
        elif kind in COUNTS:
            return self.counts[shard_of(key)], key
        elif kind in BUDGETS and len(key) >= 10 and key[1:2] == b"N":
            return self.budget(key[2:10]), key
        return self.catalog, key

    def user_prefix(self, prefix: bytes) -> UserPrefix | None:
        """A prefix of keys that begin with a user's id, taken apart; None: there is no such key."""
        kind = prefix[0]
        if USER_PLACE.get(kind) != 0 or not _TEXT_TAG.startswith(prefix[1:2]):  # type: ignore[call-overload] # By its number.
            return None
        text, end, rest = prefix[2:].partition(_END)
        # A text that ends within its end may go on as an escaped zero.
        if end and not _is_canonical(text):
            return None
        return UserPrefix(kind, text, bytes([kind]) + rest if end else None)


def clashing_word(namespace: str) -> str | None:
    """The word by which a namespace would share keys with a shorter one; None: there is none.

    The namespace of a tenant may end with any name: nothing but tenants lies behind that word.

    >>> clashing_word("shop:u"), clashing_word("shop:tenants"), clashing_word("files:eu")
    ('u', 'tenants', None)
    >>> clashing_word("shop:tenants:u"), clashing_word("shop:tenants:u:lease")
    (None, 'lease')
    """
    _, *words = namespace.split(":")
    left = iter(words)
    for word in left:
        if word == _TENANTS and next(left, None) is not None:
            continue
        if word in PLACE_WORDS:
            return word
    return None


def shard_of(name: bytes) -> int:
    """The shard in which a name lies."""
    return zlib.crc32(name) % SHARDS


def escaped(user: str) -> bytes:
    """A user's id as it is in keys, without its tag and end: in their order."""
    return encode(Kind.USER, user)[2:-2]


def unescaped(text: bytes) -> str:
    """The inverse of `escaped`."""
    return text.replace(b"\x00\xff", b"\x00").decode()


def _is_canonical(text: bytes) -> bool:
    try:
        return escaped(unescaped(text)) == text
    except UnicodeDecodeError:
        return False


def user_key(field: bytes, user: str) -> bytes:
    """The key of a field in a user's place."""
    if field[0] == Kind.CONTRIBUTION:
        return field + _text(user)
    return field[:1] + _text(user) + field[1:]


def _user_field(key: bytes, user: str) -> bytes | None:
    """The field of a key in a user's place; None for a key that no encoder makes."""
    text = _text(user)
    if key[0] == Kind.CONTRIBUTION:
        return key[:10] if len(key) == 10 + len(text) and key.endswith(text) else None
    rest = key[1 + len(text) :]
    if not key.startswith(text, 1) or (rest and key[0] in _SINGLE):
        return None
    return key[:1] + rest


def _simple_user(key: bytes) -> tuple[str, bytes] | None:
    """The user and the field of a key whose user's id has no zero in it, as hardly any has."""
    end = key.find(_END, 2)
    if key[0] == Kind.CONTRIBUTION:
        end = key.find(_END, 10)
        if key[10:11] == _TEXT_TAG and key[1:2] == b"N" and end == len(key) - 2:
            text, field = key[11:end], key[:10]
        else:
            return None
    elif key[1:2] == _TEXT_TAG and end > 0 and (end == len(key) - 2 or key[0] not in _SINGLE):
        text, field = key[2:end], key[:1] + key[end + 2 :]
    else:
        return None
    if b"\x00" in text or key[0] not in USER_PLACE:
        return None
    try:
        return text.decode(), field
    except UnicodeDecodeError:
        return None


def _text(user: str) -> bytes:
    return _TEXT_TAG + escaped(user) + _END


def is_single(kind: int) -> bool:
    """Whether a user has one row of a kind at most."""
    return kind in _SINGLE


def groups(names: Sequence[bytes], indexes: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """Names by the index in which each lies."""
    found: dict[bytes, list[bytes]] = {}
    for name in names:
        found.setdefault(indexes[shard_of(name)], []).append(name)
    return found
