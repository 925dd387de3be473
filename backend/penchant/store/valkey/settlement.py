"""Applies the operands in users' outboxes to the rows that all users share, each once.

A commit writes the operands into the user's outbox, atomically with the user's rows. Settlement
reads outboxes, merges their operands into the shared rows in this process, and writes these back
unless somebody else has written them meanwhile; the same atomic call notes, at each place, the
user's version up to which its operands are applied. Then the outbox is emptied. Whoever dies
between two of these steps, or does one twice, loses no operand and applies none twice.

Each server settles what it has committed at once. That it is about to commit operands of a user it
announces beforehand, so that another server finds what a dead one left.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from penchant.domain.errors import StateCorrupt, StateTooNew, StoreUnavailable
from penchant.store.merges import merged_row
from penchant.store.valkey.outbox import Operands, unpacked
from penchant.store.valkey.place_indexes import (
    Indexed,
    additions,
    budget_entry,
    drop_gone,
    user_entry,
)
from penchant.store.valkey.places import Place, Places, groups, shard_of
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.shared_rows import changes, compared
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

log = logging.getLogger("penchant")

_PAUSE_S = 0.1
"""What is committed within this long is settled together."""
_SWEEP_S = 1.0
_OTHERS_AFTER_US = 2_000_000
"""Operands that were announced longer ago than this are settled by any server."""
_WITHDRAWN_AFTER_US = 500_000
"""Youngest announcement of its own that a server withdraws."""
_DEAD_AFTER_US = 60_000_000
"""Announcements of this age are withdrawn by any server: no transaction takes so long."""
_MOST = 4096
"""Announcements looked at in one sweep, a shard."""
_TRIES = 30


class _Entry(NamedTuple):
    user: str
    version: int
    key: bytes
    operand: bytes


class Settlement:
    """Of one store in one process; it runs in a thread of its own from the first commit on."""

    def __init__(self, nodes: ValkeyNodes, places: Places) -> None:
        """Starts nothing yet."""
        self._nodes, self._places = nodes, places
        self._name = secrets.token_bytes(8)
        """Of this server, in announcements."""
        self._gate = threading.Lock()
        """Held to look at the sets below."""
        self._under_way: Counter[str] = Counter()
        """Users of transactions that go on."""
        self._committed: set[str] = set()
        """Users with operands to settle."""
        self._to_withdraw: set[str] = set()
        """Users whose announcement has served its purpose."""
        self._to_look_at: list[Indexed] = []
        """Names in indexes that may stand for nothing."""
        self._woken = threading.Event()
        self._settling = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def begin(self, users: Iterable[str]) -> None:
        """Notes that operands of users are about to be committed; `end` must follow."""
        with self._gate:
            self._under_way.update(list(users))  # A mapping would add its values.

    def announcement(self, user: str) -> tuple[bytes, bytes]:
        """The index in which operands of a user are announced, and the name there."""
        member = user.encode() + self._name
        return self._places.pending[shard_of(member)], member

    def announcing(self, users: Iterable[str]) -> list[ServerCommand]:
        """The commands that announce operands of users; `end` must follow."""
        users = list(users)
        self.begin(users)
        members = [user.encode() + self._name for user in users]
        found = groups(members, self._places.pending)
        return [
            ServerCommand(index, [*call("announce", index), *mine]) for index, mine in found.items()
        ]

    def end(
        self, users: Iterable[str], committed: Collection[str], unsure: Collection[str]
    ) -> None:
        """Ends a transaction's announcements.

        Args:
            users: all that were announced; one may have been announced several times.
            committed: those whose operands were committed.
            unsure: those of whom that is not known; they stay announced.
        """
        with self._gate:
            self._under_way.subtract(users)
            self._under_way += Counter()  # Without zeros.
            self._committed |= set(committed)
            self._to_withdraw |= set(users) - set(unsure)
        if committed:
            self._start()
            self._woken.set()

    def look_at(self, entries: Sequence[Indexed]) -> None:
        """Removes names from the indexes later, if they stand for nothing by then."""
        with self._gate:
            self._to_look_at += entries
        self._start()

    def settle_all(self) -> None:
        """Settles everything that any server has announced.

        Raises:
            StoreUnavailable: some of it could not be settled.
        """
        with self._gate:
            users, self._committed = self._committed, set()
        users |= {user for user, _ in self._announced(0, complete=True)}
        left = users - self._settle(users)
        if left:
            self._again(left)
            raise StoreUnavailable("store: what users share can't be written; send the call again")

    def close(self) -> None:
        """Settles what was committed, if that can be done at once, and ends the thread."""
        self._closed = True
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._gate:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="penchant-settlement", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        swept_s = time.monotonic()
        while not self._closed or self._committed:
            self._woken.wait(_SWEEP_S)
            self._woken.clear()
            if not self._closed:
                time.sleep(_PAUSE_S)
            with self._gate:
                users, self._committed = self._committed, set()
            left = self._left_of(users)
            if left and self._closed:
                return  # Another server finds it, or this one at its next start.
            if left:
                self._again(left)  # Before a sweep, which would take their announcements away.
            if time.monotonic() - swept_s > _SWEEP_S:
                swept_s = time.monotonic()
                self._swept()
            if left:
                time.sleep(0.1)

    def _left_of(self, users: set[str]) -> set[str]:
        """Settles users; returns those of whom something is left to do."""
        try:
            return users - self._settle(users)
        except StoreUnavailable as error:
            log.warning("what users share is settled later: %s", error)
        except Exception:
            log.exception("what users share is settled later")
        return users

    def _swept(self) -> None:
        try:
            self._sweep()
        except StoreUnavailable as error:
            log.warning("what other servers left is settled later: %s", error)
        except Exception:
            log.exception("what other servers left is settled later")

    def _again(self, users: set[str]) -> None:
        with self._gate:
            self._committed |= users

    def _sweep(self) -> None:
        """Settles what other servers have left, and withdraws what is settled."""
        with self._gate:
            mine = {
                user for user in self._to_withdraw - self._committed if not self._under_way[user]
            }
            self._to_withdraw -= mine
            entries, self._to_look_at = self._to_look_at, []
        drop_gone(self._nodes, entries)
        self._withdraw(_WITHDRAWN_AFTER_US, [user.encode() + self._name for user in mine])
        announced = self._announced(_OTHERS_AFTER_US)
        settled = self._settle({user for user, _ in announced})
        old = {member for user, member in self._announced(_DEAD_AFTER_US) if user in settled}
        self._withdraw(_DEAD_AFTER_US, sorted(old))

    def _announced(self, age_us: int, *, complete: bool = False) -> list[tuple[str, bytes]]:
        """Users announced longer ago than this, each with the announcement.

        With `complete`, raises StoreUnavailable if some announcements can't be read.
        """
        words = b"%d" % age_us, b"%d" % _MOST
        replies = self._nodes.run(
            [
                ServerCommand(index, [*call("announced", index), *words])
                for index in self._places.pending
            ]
        )
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                if complete:
                    raise reply
                log.debug("some announcements can't be read: %s", reply)
        found = [reply for reply in replies if isinstance(reply, list)]
        return [(member[:-8].decode(), member) for shard in found for member in shard]

    def _withdraw(self, age_us: int, members: Sequence[bytes]) -> None:
        found = groups(members, self._places.pending)
        self._nodes.run(
            [
                ServerCommand(index, [*call("withdraw", index), b"%d" % age_us, *mine])
                for index, mine in found.items()
            ]
        )

    def _settle(self, users: Iterable[str]) -> set[str]:
        """Settles the outboxes of users; returns those of whom nothing is left to do."""
        with self._settling:
            owners = [self._places.user(user) for user in users]
            # A commit that its primary alone has may be lost with it, and then comes once more: its
            # operands wait until a replica has them.
            replies = self._nodes.run(
                [
                    ServerCommand(place.outbox, call("user_operands", place.outbox))
                    for place in owners
                ]
                if self._nodes.waits
                else [
                    ServerCommand(place.outbox, [b"LRANGE", place.outbox, b"0", b"-1"])
                    for place in owners
                ],
                durable=self._nodes.waits,
            )
            settled: set[str] = set()
            newest: dict[Place, int] = {}
            by_place: dict[Place, list[_Entry]] = {}
            for owner, reply in zip(owners, replies, strict=True):
                if isinstance(reply, StoreUnavailable):
                    continue
                settled.add(owner.user)
                for entry in reply:
                    version, operands = _readable(entry)
                    newest[owner] = version
                    for key, operand in operands:
                        place = self._places.of(key)[0]
                        by_place.setdefault(place, []).append(
                            _Entry(owner.user, version, key, operand)
                        )
            failed = self._apply(by_place)
            settled -= failed
            self._empty({owner: at for owner, at in newest.items() if owner.user not in failed})
            return settled

    def _empty(self, newest: Mapping[Place, int]) -> None:
        """Empties outboxes up to a version, all of which is applied."""
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

    def _apply(self, by_place: dict[Place, list[_Entry]]) -> set[str]:
        """Applies operands to their places; returns the users of whom some could not be applied."""
        failed: set[str] = set()
        budgets = [
            budget_entry(self._places, place, entries[0].key[2:10])
            for place, entries in by_place.items()
            if place.kind == "budget"
        ]
        if budgets:
            self._nodes.run(additions(budgets))
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
        places = list(by_place)
        users = {
            place: list(dict.fromkeys(one.user for one in by_place[place])) for place in places
        }
        keys = {place: list(dict.fromkeys(one.key for one in by_place[place])) for place in places}
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
                for place in places
            ]
        )
        lost: set[str] = set()
        written, commands = [], []
        for place, reply in zip(places, replies, strict=True):
            words = None
            if not isinstance(reply, StoreUnavailable):
                applied = dict(zip(users[place], reply[0], strict=True))
                rows = dict(zip(keys[place], reply[1], strict=True))
                words = _application(by_place[place], applied, rows, self._nodes.waits)
            if words is None:
                lost |= set(users[place])
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
                lost |= set(users[place])
            elif reply[0] == 0:
                again[place] = by_place[place]
        return again, lost


def _readable(entry: bytes) -> tuple[int, Operands]:
    try:
        return unpacked(entry)
    except ValueError as error:
        log.error("operands of a user can't be read and are left out: %s", error)
        return int(entry.partition(b":")[0] or 0), []


def _application(
    entries: Sequence[_Entry],
    applied: Mapping[str, bytes],
    rows: Mapping[bytes, bytes | None],
    waits: bool,
) -> list[bytes] | None:
    """The arguments of `shared_apply`; empty: all is applied; None: it can't be.

    What was applied before may be on its primary alone. Where commits wait for replicas, it is
    noted once more, by the same call that waits.
    """
    merged, newest = dict(rows), dict[str, int]()
    for user, version, key, operand in entries:
        if version <= int(applied[user] or 0):
            if waits:
                newest.setdefault(user, int(applied[user]))
            continue
        newest[user] = version
        try:
            merged[key] = merged_row(key, merged[key], operand)
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
        for word in (user.encode(), applied[user], b"%d" % version)
    ]
    changed = {key: value for key, value in merged.items() if value != rows[key]}
    old = {key: rows[key] for key in changed}
    return [b"%d" % len(newest), *marks, *compared(old), *changes(changed)]
