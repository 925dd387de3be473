"""Reads from the places of a store: each row once, and what is said beforehand in one pipeline."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from penchant.domain.errors import StoreUnavailable
from penchant.store.keys import BY_USER, Kind
from penchant.store.valkey.kept_catalog import KeptCatalog
from penchant.store.valkey.places import (
    BUDGETS,
    COMMIT,
    COUNTS,
    VERSION,
    Place,
    Places,
    is_single,
    shard_of,
    unescaped,
    user_key,
)
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

PAGE = 512
"""Rows read at a time by a scan."""
_FIRST_PAGE = 16
_USERS_PAGE = 64
_NOTE = Kind.SHIP_NOTE
_ABSENT = b""
"""The version of a place that holds nothing."""


@dataclass(slots=True)
class PlaceReads:
    """What was read of one place."""

    version: bytes | None = None
    """As of the first read; None: not read yet."""
    changed: bool = False
    """Whether a later read found another version."""
    scanned: bool = False
    """Whether a part of it was scanned, so that rows that are absent matter as well."""
    whole: bool = False
    """Whether `rows` holds all rows that there are."""
    rows: dict[bytes, bytes | None] = field(default_factory=dict)
    error: StoreUnavailable | None = None
    """Why the place can't be read."""

    def has(self, name: bytes) -> bool:
        """Whether a field was read, there or not."""
        return self.whole or name in self.rows

    def note(self, version: bytes | None) -> None:
        """Notes the version that a read found."""
        found = version or _ABSENT
        if self.version is None:
            self.version = found
        elif self.version != found:
            self.changed = True


class ValkeySnapshot:
    """See `penchant.store.base.Snapshot`; what is fetched together of a place is of one moment."""

    def __init__(self, nodes: ValkeyNodes, places: Places, kept: KeptCatalog) -> None:
        """Reads nothing yet."""
        self._nodes, self._places, self._kept = nodes, places, kept
        self._reads: dict[bytes, PlaceReads] = {}
        """By tag."""
        self._read_users: dict[str, Place] = {}

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`; a round trip, unless the key was fetched."""
        place, name = self._places.of(key)
        reads = self._of(place)
        if not reads.has(name):
            self._load({place: [name]})
            if reads.error is not None:
                raise reads.error
        return reads.rows.get(name) if reads.whole else reads.rows[name]

    def fetch(self, keys: Iterable[bytes]) -> None:
        """See `Snapshot.fetch`; one pipeline a node."""
        wanted = self._unread(keys)
        if wanted:
            self._load(wanted)

    def fetch_users(self, users: Iterable[str]) -> None:
        """See `Snapshot.fetch_users`; one pipeline a node."""
        places = [place for place in map(self._places.user, users) if not self._of(place).whole]
        words = [b"", b"%d" % PAGE]
        commands = [
            ServerCommand(place.rows, [*call("user_scan", place.rows), *words]) for place in places
        ]
        for place, reply in zip(places, self._nodes.run(commands), strict=True):
            if isinstance(reply, StoreUnavailable):
                continue  # It is said when a row is read.
            version, names, values = reply
            if names and values is None:
                continue
            reads = self._of(place)
            reads.note(version)
            reads.rows = dict(zip(names, values or (), strict=True))  # Not what is gone since.
            reads.whole, reads.error = True, None

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.scan`; by pages, each in a round trip."""
        low = max(prefix, start)
        asked = self._one_user(prefix)
        if asked is not None:
            return self._scan_user(*asked, low)
        sources = [self._scan_catalog(prefix, low)]
        kinds = {prefix[0]} if prefix else {*BY_USER, Kind.CONTRIBUTION, *COUNTS, *BUDGETS, _NOTE}
        for kind in sorted(kinds):
            if kind in BY_USER:
                sources.append(self._scan_users(kind, prefix, low))
            elif kind == Kind.CONTRIBUTION:
                sources.append(self._scan_contributions(prefix, low))
            elif kind in BUDGETS:
                sources.append(self._scan_budgets(kind, prefix, low))
            elif kind == _NOTE:
                sources.append(self._scan_hashes([self._places.notes], prefix, low))
        if kinds & COUNTS:
            sources.append(self._scan_hashes(self._places.counts, prefix, low))
        return heapq.merge(*sources)

    def _one_user(self, prefix: bytes) -> tuple[str, bytes] | None:
        """The one user of whom a prefix asks, and the prefix of fields; None: it asks of more."""
        asked = self._places.user_prefix(prefix) if len(prefix) > 1 else None
        if asked is None or asked.field is None:
            return None
        return unescaped(asked.text), asked.field

    def _unread(self, keys: Iterable[bytes]) -> dict[Place, list[bytes]]:
        """The fields to read of each place, the catalog's with its version; empty: all was read."""
        wanted: dict[Place, list[bytes]] = {self._places.catalog: []}
        for key in keys:
            place, name = self._places.of(key)
            if not self._of(place).has(name):
                wanted.setdefault(place, []).append(name)
        if any(wanted.values()) or self._of(self._places.catalog).version is None:
            return wanted
        return {}

    def _of(self, place: Place) -> PlaceReads:
        reads = self._reads.get(place.tag)
        if reads is None:
            reads = self._reads[place.tag] = PlaceReads()
            if place.kind == "user":
                self._read_users[place.user] = place
        return reads

    def _load(
        self, wanted: dict[Place, list[bytes]], beside: Sequence[ServerCommand] = ()
    ) -> list[Any]:
        """Reads fields of places, in one pipeline a node; errors are noted at the places.

        Returns:
            The replies to the commands that were sent beside the reads.
        """
        kept_version, kept = self._kept.rows_of(wanted.get(self._places.catalog, []))
        asked = {
            place: [name for name in names if place.kind != "catalog" or name not in kept]
            for place, names in wanted.items()
        }
        commands = [
            ServerCommand(place.rows, [b"HMGET", place.rows, VERSION, *names])
            for place, names in asked.items()
        ]
        replies = self._nodes.run([*commands, *beside])
        for (place, names), reply in zip(asked.items(), replies[: len(asked)], strict=True):
            reads = self._of(place)
            if isinstance(reply, StoreUnavailable):
                reads.error = reply
                continue
            version, *values = reply
            reads.error = None
            reads.note(version)
            reads.rows.update(zip(names, values, strict=True))
            if place.kind == "catalog":
                self._kept.keep(version or _ABSENT, dict(zip(names, values, strict=True)))
                if kept_version == (version or _ABSENT):
                    reads.rows.update(kept)
                elif kept:  # Of an older version.
                    self._load({place: list(kept)})
        return replies[len(asked) :]

    def _pages(
        self, indexes: Sequence[bytes], low: bytes, high: bytes, page: int
    ) -> Iterator[list[bytes]]:
        """Members of sorted sets between two texts, in order over all sets, page by page."""
        bound = b"[" + low if low else b"-"
        open_ = list(indexes)
        while open_:
            commands = [
                ServerCommand(
                    index, [b"ZRANGEBYLEX", index, bound, high, b"LIMIT", b"0", b"%d" % page]
                )
                for index in open_
            ]
            found = [_reply(reply) for reply in self._nodes.run(commands)]
            full = [members for members in found if len(members) == page]
            last = min((members[-1] for members in full), default=None)
            merged = sorted(member for members in found for member in members)
            some = [member for member in merged if last is None or member <= last]
            if some:
                yield some
            if last is None:
                return
            bound = b"(" + last

    def _scan_catalog(self, prefix: bytes, low: bytes) -> Iterator[tuple[bytes, bytes]]:
        place, high = self._places.catalog, _end(prefix)
        bound, page = b"[" + low if low else b"-", _FIRST_PAGE
        while True:
            rows = self._scanned_page(place, bound, high, page)
            yield from rows
            if len(rows) < page:
                return
            bound, page = b"(" + rows[-1][0], PAGE

    def _scanned_page(
        self, place: Place, bound: bytes, high: bytes, page: int
    ) -> list[tuple[bytes, bytes]]:
        reads = self._of(place)
        reads.scanned = True
        question = bound + b" " + high
        if page == _FIRST_PAGE and reads.version is not None and not reads.changed:
            kept = self._kept.page_of(reads.version, question)
            if kept is not None:
                return kept
        words = [*call("rows_scan", place.rows, place.index), bound, high, b"%d" % page]
        (reply,) = self._nodes.run([ServerCommand(place.rows, words)])
        version, keys, values = _reply(reply)
        reads.note(version)
        reads.rows.update(zip(keys, values, strict=True))
        rows = list(zip(keys, values, strict=True))
        if page == _FIRST_PAGE:
            self._kept.keep_page(version or _ABSENT, question, rows)
        return rows

    def _scan_user(self, user: str, prefix: bytes, low: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows of one user whose fields have a prefix, in order of the keys."""
        reads = self._of(self._places.user(user))
        if reads.whole:
            rows = sorted((name, row) for name, row in reads.rows.items() if row is not None)
            found = [(user_key(name, user), row) for name, row in rows if name.startswith(prefix)]
            return (row for row in found if row[0] >= low)
        return self._rows_of_users([user], prefix, low)

    def _rows_of_users(
        self, users: Sequence[str], prefix: bytes, low: bytes
    ) -> Iterator[tuple[bytes, bytes]]:
        """The rows of each of some users, in their order, whose fields have a prefix.

        Those with keys below `low` are left out.
        """
        places = [self._places.user(user) for user in users]
        single = is_single(prefix[0]) and len(prefix) == 1
        if single:
            commands = [
                ServerCommand(place.rows, [b"HMGET", place.rows, VERSION, prefix])
                for place in places
            ]
        else:
            words = [prefix, b"%d" % PAGE]
            commands = [
                ServerCommand(place.rows, [*call("user_scan", place.rows), *words])
                for place in places
            ]
        for place, reply in zip(places, self._nodes.run(commands), strict=True):
            reads = self._of(place)
            if single:
                version, value = _reply(reply)
                reads.note(version)
                key = user_key(prefix, place.user)
                if value is not None and key >= low:
                    yield key, value
                continue
            version, names, values = _reply(reply)
            reads.note(version)
            if values is not None:
                rows = sorted(zip(names, values, strict=True))
                found = [(user_key(name, place.user), value) for name, value in rows]
                yield from (row for row in found if row[0] >= low)
            else:
                left = [name for name in sorted(names) if user_key(name, place.user) >= low]
                yield from self._rows_by_pages(place, left)

    def _rows_by_pages(self, place: Place, names: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for start in range(0, len(names), PAGE):
            some = names[start : start + PAGE]
            words = [b"HMGET", place.rows, VERSION, *some]
            version, *values = _reply(self._nodes.run([ServerCommand(place.rows, words)])[0])
            self._of(place).note(version)
            for name, value in zip(some, values, strict=True):
                if value is not None:
                    yield user_key(name, place.user), value

    def _scan_users(self, kind: int, prefix: bytes, low: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows of a kind of all users whose ids begin as the prefix says."""
        text = prefix[2:]
        if prefix[1:2] not in (b"", b"T") or low[:1] > bytes([kind]):
            return
        begun = low[2:].partition(b"\x00\x01")[0] if low[:2] == bytes([kind]) + b"T" else text
        for page in self._pages(self._places.user_indexes, begun, _end(text), _USERS_PAGE):
            users = [unescaped(member) for member in page]
            for key, value in self._rows_of_users(users, bytes([kind]), low):
                if key.startswith(prefix):
                    yield key, value

    def _scan_contributions(self, prefix: bytes, low: bytes) -> Iterator[tuple[bytes, bytes]]:
        indexes: Sequence[bytes] = self._places.contribution_indexes
        if len(prefix) >= 10:
            indexes = [indexes[shard_of(prefix[:10])]]
        for page in self._pages(indexes, low, _end(prefix), PAGE // 4):
            found = [self._places.of(key) for key in page]
            commands = [
                ServerCommand(place.rows, [b"HMGET", place.rows, VERSION, name])
                for place, name in found
            ]
            for key, (place, _), reply in zip(page, found, self._nodes.run(commands), strict=True):
                version, value = _reply(reply)
                self._of(place).note(version)
                if value is not None:
                    yield key, value

    def _scan_hashes(
        self, places: Sequence[Place], prefix: bytes, low: bytes
    ) -> Iterator[tuple[bytes, bytes]]:
        """The rows of places whose fields are whole keys. Reads the names of all their rows."""
        commands = [ServerCommand(place.rows, [b"HKEYS", place.rows]) for place in places]
        found = [_reply(reply) for reply in self._nodes.run(commands)]
        names = sorted(
            name
            for shard in found
            for name in shard
            if name.startswith(prefix) and name >= low and name not in (VERSION, COMMIT)
        )
        for start in range(0, len(names), PAGE):
            some = names[start : start + PAGE]
            shards: dict[Place, list[bytes]] = {}
            for name in some:
                shards.setdefault(self._places.of(name)[0], []).append(name)
            replies = self._nodes.run(
                [
                    ServerCommand(place.rows, [b"HMGET", place.rows, *mine])
                    for place, mine in shards.items()
                ]
            )
            values = {
                name: value
                for mine, reply in zip(shards.values(), replies, strict=True)
                for name, value in zip(mine, _reply(reply), strict=True)
            }
            yield from ((name, values[name]) for name in some if values[name] is not None)

    def _scan_budgets(self, kind: int, prefix: bytes, low: bytes) -> Iterator[tuple[bytes, bytes]]:
        digest = prefix[2:10]
        if low[:1] > bytes([kind]):
            return
        begun = max(digest, low[2:10]) if low[:1] == bytes([kind]) else digest
        index = [self._places.budget_index]
        for page in self._pages(index, begun, _end(digest), _USERS_PAGE):
            places = [self._places.budget(member) for member in page]
            replies = self._nodes.run(
                [ServerCommand(place.rows, [b"HGETALL", place.rows]) for place in places]
            )
            for reply in replies:
                flat = _reply(reply)
                rows = sorted(zip(flat[::2], flat[1::2], strict=True))
                yield from (
                    (key, value)
                    for key, value in rows
                    if key[0] == kind and key >= low and key.startswith(prefix)
                )


def _reply(reply: Any) -> Any:
    """A reply that must be there."""
    if isinstance(reply, StoreUnavailable):
        raise reply
    return reply


def _end(prefix: bytes) -> bytes:
    """The end of all texts that have a prefix, in ZRANGEBYLEX's form."""
    stem = prefix.rstrip(b"\xff")
    return b"(" + stem[:-1] + bytes([stem[-1] + 1]) if stem else b"+"
