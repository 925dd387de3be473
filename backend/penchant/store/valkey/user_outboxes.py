"""Users' outboxes: their operands are applied to the rows that all share, and then taken out.

What is applied is marked at the place, in the same atomic call: the user, and the version up to
which. An operand whose version is not above the mark is done. `applied_marks` forgets a mark once
its outbox has been empty for long, and raises the floor of the place: an operand below the floor
and without a mark may have been done, unless it was in its outbox after the floor was read, and the
floor stays the same until it is applied.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from penchant.domain.errors import StateCorrupt, StateTooNew, StoreUnavailable
from penchant.store.merges import merged_row
from penchant.store.valkey.outbox import Operands, unpacked, version_of
from penchant.store.valkey.place_indexes import additions, budget_entry, drop_gone, user_entry
from penchant.store.valkey.places import Place, Places
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.shared_rows import changes, compared
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

log = logging.getLogger("penchant")

_USERS = 256
"""Users of one step."""
_COMMITS = 256
"""Commits of one user in one step."""
_TRIES = 30


class _Entry(NamedTuple):
    user: str
    version: int
    key: bytes
    operand: bytes


class _Read(NamedTuple):
    """What was read of a place before operands are applied there."""

    marks: Mapping[str, bytes]
    """By user, the version that is applied; empty: none is known."""
    rows: Mapping[bytes, bytes | None]
    floor: bytes

    def doubtful(self, entry: _Entry) -> bool:
        """Whether an operand may have been applied, and its mark forgotten."""
        return not self.marks[entry.user] and entry.version <= int(self.floor or 0)


class UserOutboxes:
    """Of one store in one process; threads take turns."""

    def __init__(self, nodes: ValkeyNodes, places: Places) -> None:
        """Settles nothing yet."""
        self._nodes, self._places = nodes, places
        self._turn = threading.Lock()

    def settle(self, users: Iterable[str]) -> set[str]:
        """Settles the outboxes of users; returns those of whom nothing is left to do."""
        settled, owners = set(), [self._places.user(user) for user in users]
        for start in range(0, len(owners), _USERS):
            left: Sequence[Place] = owners[start : start + _USERS]
            while left:
                with self._turn:
                    done, left = self._step(left)
                settled |= done
        return settled

    def _step(self, owners: Sequence[Place]) -> tuple[set[str], list[Place]]:
        """Settles some commits of users; returns those who are done, and who has more."""
        newest: dict[Place, int] = {}
        by_place: dict[Place, list[_Entry]] = {}
        done, more = set[str](), []
        for owner, reply in zip(owners, self._operands(owners), strict=True):
            if isinstance(reply, StoreUnavailable):
                continue
            if len(reply) < _COMMITS:
                done.add(owner.user)
            else:
                more.append(owner)
            for entry in reply:
                version, operands = _readable(entry)
                newest[owner] = max(version, newest.get(owner, 0))
                for key, operand in operands:
                    place = self._places.of(key)[0]
                    by_place.setdefault(place, []).append(_Entry(owner.user, version, key, operand))
        failed = self._apply(by_place)
        failed |= self._empty(
            {owner: at for owner, at in newest.items() if owner.user not in failed}
        )
        return done - failed, [owner for owner in more if owner.user not in failed]

    def _operands(self, owners: Sequence[Place]) -> list[Any]:
        """The first commits in outboxes.

        A commit that its primary alone has may be lost with it, and then comes once more: where
        commits wait for replicas, its operands wait until a replica has them.
        """
        waits, most = self._nodes.waits, b"%d" % _COMMITS
        last = b"%d" % (_COMMITS - 1)
        return self._nodes.run(
            [
                ServerCommand(
                    owner.outbox,
                    [*call("user_operands", owner.outbox), most]
                    if waits
                    else [b"LRANGE", owner.outbox, b"0", last],
                )
                for owner in owners
            ],
            durable=waits,
        )

    def _empty(self, newest: Mapping[Place, int]) -> set[str]:
        """Takes out what is applied, up to a version; returns users of whom that failed."""
        replies = self._nodes.run(
            [
                ServerCommand(
                    owner.outbox,
                    [*call("user_settled", owner.outbox, owner.rows), b"%d" % version],
                )
                for owner, version in newest.items()
            ]
        )
        # Of forgotten users, nothing but the outbox was left.
        gone = [
            user_entry(self._places, owner)
            for owner, reply in zip(newest, replies, strict=True)
            if isinstance(reply, list) and reply[1] == 0
        ]
        drop_gone(self._nodes, gone)
        return {
            owner.user
            for owner, reply in zip(newest, replies, strict=True)
            if isinstance(reply, StoreUnavailable)
        }

    def _apply(self, by_place: dict[Place, list[_Entry]]) -> set[str]:
        """Applies operands to their places; returns the users of whom some could not be applied."""
        failed: set[str] = set()
        budgets = {place: found for place, found in by_place.items() if place.kind == "budget"}
        named = additions(
            budget_entry(self._places, place, found[0].key[2:10])
            for place, found in budgets.items()
        )
        if any(isinstance(reply, StoreUnavailable) for reply in self._nodes.run(named)):
            # Without its name in the index, nobody would find a budget.
            failed |= {entry.user for found in budgets.values() for entry in found}
            by_place = {place: found for place, found in by_place.items() if place not in budgets}
        for attempt in range(_TRIES):
            by_place, lost = self._try(by_place)
            failed |= lost
            if not by_place:
                return failed
            time.sleep(random.uniform(0, 0.002 * (attempt + 1)))
        return failed | {entry.user for entries in by_place.values() for entry in entries}

    def _try(
        self, by_place: Mapping[Place, list[_Entry]]
    ) -> tuple[dict[Place, list[_Entry]], set[str]]:
        """Reads, merges and writes; returns what another writer was faster at, and lost users."""
        lost: set[str] = set()
        reads: dict[Place, _Read] = {}
        for place, read in zip(by_place, self._reads(by_place), strict=True):
            if read is None:
                lost |= {entry.user for entry in by_place[place]}
            else:
                reads[place] = read
        heads = self._heads(
            entry.user
            for place, read in reads.items()
            for entry in by_place[place]
            if read.doubtful(entry)
        )
        written, commands = [], []
        for place, read in reads.items():
            words = _application(by_place[place], read, heads, self._nodes.waits)
            if words is None:
                lost |= {entry.user for entry in by_place[place]}
            elif words:
                start = call("shared_apply", place.rows, place.applied, place.index)
                commands.append(
                    ServerCommand(place.rows, [*start, secrets.token_bytes(16), *words])
                )
                written.append(place)
        again = {}
        replies = self._nodes.run(commands, durable=True)
        for place, reply in zip(written, replies, strict=True):
            if isinstance(reply, StoreUnavailable):
                lost |= {entry.user for entry in by_place[place]}
            elif reply[0] == 0:
                again[place] = by_place[place]
        return again, lost

    def _reads(self, by_place: Mapping[Place, Sequence[_Entry]]) -> list[_Read | None]:
        """The marks, rows and floor of each place; None: they can't be read."""
        users = {
            place: list(dict.fromkeys(one.user for one in found))
            for place, found in by_place.items()
        }
        keys = {
            place: list(dict.fromkeys(one.key for one in found))
            for place, found in by_place.items()
        }
        replies = self._nodes.run(
            [
                ServerCommand(
                    place.rows,
                    [
                        *call("shared_read", place.rows, place.applied),
                        b"%d" % len(users[place]),
                        *[user.encode() for user in users[place]],
                        *keys[place],
                    ],
                )
                for place in by_place
            ]
        )
        return [
            None
            if isinstance(reply, StoreUnavailable)
            else _Read(
                dict(zip(users[place], reply[0], strict=True)),
                dict(zip(keys[place], reply[1], strict=True)),
                reply[2],
            )
            for place, reply in zip(by_place, replies, strict=True)
        ]

    def _heads(self, users: Iterable[str]) -> dict[str, int | None]:
        """The versions of the first entries of users' outboxes; None: one is empty.

        Those that can't be read are left out.
        """
        owners = [self._places.user(user) for user in dict.fromkeys(users)]
        replies = self._nodes.run(
            [ServerCommand(owner.outbox, [b"LINDEX", owner.outbox, b"0"]) for owner in owners]
        )
        return {
            owner.user: version_of(reply) if reply else None
            for owner, reply in zip(owners, replies, strict=True)
            if not isinstance(reply, StoreUnavailable)
        }


def _readable(entry: bytes) -> tuple[int, Operands]:
    try:
        return unpacked(entry)
    except ValueError as error:
        log.error("operands of a user can't be read and are left out: %s", error)
        return version_of(entry), []


def _application(
    entries: Collection[_Entry], read: _Read, heads: Mapping[str, int | None], waits: bool
) -> list[bytes] | None:
    """The arguments of `shared_apply`; empty: all is applied; None: it can't be.

    What was applied before may be on its primary alone. Where commits wait for replicas, it is
    noted once more, by the same call that waits.
    """
    merged, newest = dict(read.rows), dict[str, int]()
    for entry in entries:
        user, mark = entry.user, read.marks[entry.user]
        if mark and entry.version <= int(mark):
            if waits:
                newest.setdefault(user, int(mark))
            continue
        if read.doubtful(entry):
            if user not in heads:
                return None
            head = heads[user]
            if head is None or head > entry.version:
                continue  # Another server has applied it, and taken it out.
        newest[user] = entry.version
        try:
            merged[entry.key] = merged_row(entry.key, merged[entry.key], entry.operand)
        except (StateCorrupt, KeyError) as error:
            log.error("an operand of a user can't be read and is left out: %s", error)
        except StateTooNew as error:
            log.warning("what users share is left to a newer release: %s", error)
            return None
    if not newest:
        return []
    marks = [
        word
        for user, version in newest.items()
        for word in (user.encode(), read.marks[user], b"%d" % version)
    ]
    changed = {key: value for key, value in merged.items() if value != read.rows[key]}
    old = {key: read.rows[key] for key in changed}
    floor = read.floor if not all(read.marks[user] for user in newest) else b"*"
    return [floor, b"%d" % len(newest), *marks, *compared(old), *changes(changed)]
