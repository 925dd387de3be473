"""Announcements: that a server is about to commit operands of users, for others to find.

A name in these sets is a user and a server; its score is the time of the set's server at which it
was announced last.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.places import Places, groups, shard_of
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

log = logging.getLogger("penchant")

_MOST = 256
"""Announcements looked at together, a shard."""
_SERVER_BYTES = 8
"""Of a server's name, at the end of an announcement's."""
_FIRST = b"-inf"


class Announced(NamedTuple):
    """An announcement that was found."""

    user: str
    member: bytes
    age_us: int


class Announcements:
    """Of one store in one process."""

    def __init__(self, nodes: ValkeyNodes, places: Places) -> None:
        """Announces nothing yet."""
        self._nodes, self._shards = nodes, places.pending
        self._name = secrets.token_bytes(_SERVER_BYTES)
        """Of this server."""
        self._from = dict.fromkeys(self._shards, _FIRST)
        """Where the next look begins, by shard."""
        self._most = dict.fromkeys(self._shards, _MOST)

    def of(self, user: str) -> tuple[bytes, bytes]:
        """The index in which operands of a user are announced, and the name there."""
        member = self._member(user)
        return self._shards[shard_of(member)], member

    def commands(self, users: Iterable[str]) -> list[ServerCommand]:
        """The commands that announce operands of users."""
        found = groups([self._member(user) for user in users], self._shards)
        return [
            ServerCommand(index, [*call("announce", index), *mine]) for index, mine in found.items()
        ]

    def next_ones(self, age_us: int) -> list[Announced]:
        """Some that are older than this; call by call, all of them, and then from the oldest on."""
        found = []
        for shard, page in self._pages(age_us, self._from, self._most).items():
            if isinstance(page, StoreUnavailable):
                log.debug("some announcements can't be read: %s", page)
                continue
            some, self._from[shard], self._most[shard] = page
            found += some
        return found

    def users(self) -> set[str]:
        """All users who are announced by now; raises StoreUnavailable if some can't be read."""
        begin, most = dict.fromkeys(self._shards, _FIRST), dict.fromkeys(self._shards, _MOST)
        found: set[str] = set()
        while begin:
            for shard, page in self._pages(0, begin, most).items():
                if isinstance(page, StoreUnavailable):
                    raise page
                some, begin[shard], most[shard] = page
                found |= {one.user for one in some}
                if begin[shard] == _FIRST:
                    del begin[shard]
        return found

    def withdraw(self, users: Iterable[str], age_us: int) -> None:
        """Takes back this server's own announcements, unless they are younger than this."""
        self.withdraw_all([self._member(user) for user in users], age_us)

    def withdraw_all(self, members: Sequence[bytes], age_us: int) -> None:
        """Takes back announcements by their names, unless they are younger than this."""
        found = groups(members, self._shards)
        self._nodes.run(
            [
                ServerCommand(index, [*call("withdraw", index), b"%d" % age_us, *mine])
                for index, mine in found.items()
            ]
        )

    def _member(self, user: str) -> bytes:
        return user.encode() + self._name

    def _pages(
        self, age_us: int, begin: dict[bytes, bytes], most: dict[bytes, int]
    ) -> dict[bytes, tuple[list[Announced], bytes, int] | StoreUnavailable]:
        """By shard, a page from a time on, the time of the next page, and how long that shall be.

        A page begins with the last moment of the one before, since that may go on. If it holds
        nothing else, the next one is twice as long.
        """
        replies = self._nodes.run(
            [
                ServerCommand(
                    shard, [*call("announced", shard), b"%d" % age_us, at, b"%d" % most[shard]]
                )
                for shard, at in begin.items()
            ]
        )
        found: dict[bytes, tuple[list[Announced], bytes, int] | StoreUnavailable] = {}
        for shard, reply in zip(list(begin), replies, strict=True):
            if isinstance(reply, StoreUnavailable):
                found[shard] = reply
                continue
            until, flat = reply
            members, times = flat[::2], flat[1::2]
            ages = [int(until) + age_us - int(at) for at in times]
            page = [
                Announced(member[:-_SERVER_BYTES].decode(), member, age)
                for member, age in zip(members, ages, strict=True)
            ]
            if len(page) < most[shard]:
                found[shard] = page, _FIRST, _MOST
            else:
                found[shard] = page, times[-1], _MOST if times[0] != times[-1] else 2 * len(page)
        return found
