r"""The commits of several users as commands: one for each in a cluster, few on a single server.

>>> UserCommit((b"r", b"o"), [b"id", b""]).packed()
b'\x01\x00\x00\x002\x01\x00\x00\x002\x02\x00\x00\x00id\x00\x00\x00\x00'
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.place_indexes import Indexed
from penchant.store.valkey.places import Place
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

_MOST = 64
"""Users of one command: as a batch of feedback. A server answers nobody else meanwhile."""
_LENGTH = struct.Struct("<I")


class UserCommit(NamedTuple):
    """The keys and the arguments of `user_commit`."""

    keys: tuple[bytes, ...]
    words: list[bytes]

    @classmethod
    def of(
        cls,
        place: Place,
        words: list[bytes],
        names: Iterable[Indexed],
        announced: tuple[bytes, bytes] | None,
    ) -> UserCommit:
        """The commit of a place, which names its rows and announces its operands as well.

        Args:
            place: of a user.
            words: the arguments without those for the indexes.
            names: to be put into indexes.
            announced: the index and the name of an announcement; None: none.
        """
        named = [(one.index, one.name) for one in names]
        pairs = named if announced is None else [announced, *named]
        indexes, members = [index for index, _ in pairs], [member for _, member in pairs]
        first = b"named" if announced is None else b"announced"
        keys = (place.rows, place.outbox, place.line, *indexes)
        return cls(keys, [*words, first, *members])

    def packed(self) -> bytes:
        """As `users_commit` reads it, without the keys themselves."""
        words = [b"%d" % len(self.keys), b"%d" % len(self.words), *self.words]
        return b"".join([part for word in words for part in (_LENGTH.pack(len(word)), word)])


def run_commits(nodes: ValkeyNodes, commits: Sequence[UserCommit]) -> list[Any]:
    """The reply to each commit; a StoreUnavailable in the place of one that has none."""
    if nodes.is_cluster:
        commands = [
            ServerCommand(one.keys[0], [*call("user_commit", *one.keys), *one.words])
            for one in commits
        ]
        return nodes.run(commands, durable=True)
    parts = [commits[start : start + _MOST] for start in range(0, len(commits), _MOST)]
    commands = []
    for part in parts:
        keys = [key for one in part for key in one.keys]
        text = b"".join([one.packed() for one in part])
        commands.append(ServerCommand(keys[0], [*call("users_commit", *keys), text]))
    replies: list[Any] = []
    for part, reply in zip(parts, nodes.run(commands, durable=True), strict=True):
        refused = isinstance(reply, StoreUnavailable)
        replies += [reply] * len(part) if refused else reply
    return replies
