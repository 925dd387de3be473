"""A write: reads that remember what they saw, and writes that are committed place by place.

Order of a commit: what is about to be written is announced in the indexes, then come the rows of
the catalog, then those of counts and budgets, then the users', all in one pipeline a node, and last
the users whose rows are only deleted. Each place is compared with what was read of it: a user's as
a whole, the others by row. Where one server has all slots, a user's announcement and names are
written by the call that commits the user: one round of synced writes instead of two.
"""

from __future__ import annotations

import heapq
import secrets
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import WriteConflict
from penchant.store.keys import Kind
from penchant.store.merges import merged_row
from penchant.store.valkey.kept_catalog import KeptCatalog
from penchant.store.valkey.outbox import Operands, packed
from penchant.store.valkey.place_indexes import (
    Indexed,
    additions,
    budget_entry,
    contribution_entry,
    drop_gone,
    user_entry,
    written_names,
)
from penchant.store.valkey.places import Place, Places, user_key
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.settlement import Settlement
from penchant.store.valkey.shared_rows import changes, compared
from penchant.store.valkey.user_commits import UserCommit, run_commits
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes
from penchant.store.valkey.valkey_snapshot import ValkeySnapshot
from penchant.store.valkey.writer_lines import WriterLines

_ANNOUNCED_FOR_S = 10.0
"""A transaction that takes longer announces its operands again."""

_Rows = dict[bytes, bytes | None]
"""Fields and their new values; None: deleted."""


class ValkeyTransaction(ValkeySnapshot):
    """See `penchant.store.base.Transaction`."""

    shared = True

    def __init__(
        self,
        nodes: ValkeyNodes,
        places: Places,
        kept: KeptCatalog,
        settlement: Settlement,
        lines: WriterLines,
    ) -> None:
        """Nothing is read or written yet."""
        super().__init__(nodes, places, kept)
        self._settlement, self._lines = settlement, lines
        self._lost: set[Place] = set()
        """Places with a line at which another writer was faster, or is to be."""
        self._written: list[Place] = []
        self._writes: dict[Place, _Rows] = {}
        self._operands: dict[bytes, list[tuple[bytes, str]]] = {}
        """By key: operands, each with its user, that no put of the row has replaced."""
        self._announced: list[str] = []
        """Users, once for each time that operands of theirs were announced."""
        self._named: set[bytes] = set()
        """Names that are known to be in their indexes."""
        self._new_names: list[Indexed] = []
        """Names that `fetch` put there, and that may stand for nothing."""
        self._sure: set[str] = set()
        """Users whose announcement is known to be there."""
        self._announced_s = time.monotonic()
        self._to_settle: set[str] = set()
        """Users whose operands were committed, or perhaps were."""
        self._unsure: set[str] = set()
        """Users whose operands were sent, and nothing is known of them."""
        self._failed: StoreUnavailable | None = None
        """Why the rows of some users could not be written."""

    def get(self, key: bytes) -> bytes | None:
        """See `Snapshot.get`; with what this transaction has written."""
        place, name = self._places.of(key)
        row = self._writes.get(place, {}).get(name, ...)
        if row is ...:
            row = super().get(key)
        assert row is None or isinstance(row, bytes)
        for operand, _ in self._operands.get(key, ()):
            row = merged_row(key, row, operand)
        return row

    def fetch(self, keys: Iterable[bytes]) -> None:
        """See `Snapshot.fetch`; in a cluster, announces operands of the users as well."""
        if not self._nodes.is_cluster:
            super().fetch(keys)
            return
        wanted = self._unread(keys)
        if not wanted:
            return
        users = [place for place in wanted if place.kind == "user"]
        entries = [user_entry(self._places, place) for place in users]
        for place in users:
            entries += [
                contribution_entry(self._places, place, user_key(name, place.user))
                for name in wanted[place]
                if name[0] == Kind.CONTRIBUTION
            ]
        beside = additions(entries)
        replies = self._announce({place.user for place in users}, wanted, beside)
        if replies and not any(isinstance(reply, StoreUnavailable) for reply in replies):
            self._named |= {entry.name for entry in entries}
            if any(replies[-len(beside) :]):  # Perhaps nothing is written under some new names.
                self._new_names += entries

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """See `Snapshot.scan`; with what this transaction has written."""
        low = max(prefix, start)
        mine: _Rows = {}
        writes, asked = self._writes, self._one_user(prefix)
        if asked is not None:
            place = self._places.user(asked[0])
            writes = {place: self._writes.get(place, {})}
        for place, rows in writes.items():
            for name, value in rows.items():
                key = user_key(name, place.user) if place.kind in ("user", "credit") else name
                if key >= low and key.startswith(prefix):
                    mine[key] = value
        for key in self._operands:
            if key >= low and key.startswith(prefix):
                mine[key] = self.get(key)
        kept = (row for row in super().scan(prefix, start) if row[0] not in mine)
        written = ((key, value) for key, value in sorted(mine.items()) if value is not None)
        return heapq.merge(kept, written)

    def put(self, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        self._write(key, bytes(value))

    def delete(self, key: bytes) -> None:
        """See `Transaction.delete`."""
        self._write(key, None)

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        """See `Transaction.merge`."""
        place, name = self._places.of(key)
        rows = self._writes.get(place, {})
        if name in rows or not user:
            self._write(key, merged_row(key, self.get(key), operand))
        else:
            self._operands.setdefault(key, []).append((operand, user))

    def settle(self) -> None:
        """See `Transaction.settle`."""
        self._settlement.settle_all()

    def _write(self, key: bytes, value: bytes | None) -> None:
        place, name = self._places.of(key)
        self._writes.setdefault(place, {})[name] = value
        self._operands.pop(key, None)

    def _announce(
        self,
        users: Iterable[str],
        wanted: dict[Place, list[bytes]] | None = None,
        beside: Sequence[ServerCommand] = (),
    ) -> list[Any]:
        """Announces operands of users, in one pipeline with reads and other commands."""
        fresh = [user for user in users if user not in self._sure]
        announcing = self._settlement.announcing(fresh) if fresh else []
        self._announced += fresh
        replies = []
        if announcing and self._nodes.waits:
            # An announcement that its primary alone has may be lost with it, and with this server
            # the operands would stay where nobody looks for them.
            replies, announcing = self._nodes.run(announcing, durable=True), []
        commands = [*announcing, *beside]
        replies += self._load(wanted or {}, commands) if wanted or commands else []
        if not any(isinstance(reply, StoreUnavailable) for reply in replies):
            self._sure |= set(fresh)
        elif not wanted:
            _require(replies)
        return replies

    def end(self) -> None:
        """Ends a transaction that is not committed."""
        self._settlement.look_at(self._new_names)
        self._settlement.end(self._announced, (), ())
        self._lines.keep((), ())

    def commit(self) -> None:
        """Writes what was put, deleted and merged.

        Raises:
            StoreUnavailable: some or all of it can't be written, or may have been.
            WriteConflict: another writer was faster, or the server of some users is away.
        """
        try:
            self._commit()
        finally:
            self._settlement.end(self._announced, self._to_settle, self._unsure)
            self._lines.keep(self._lost, self._written)

    def _commit(self) -> None:
        outboxes: defaultdict[str, Operands] = defaultdict(list)
        for key, operands in self._operands.items():
            for operand, user in operands:
                outboxes[user].append((key, operand))
        users = [place for place in self._writes if place.kind == "user"]
        users += [place for place in map(self._places.user, outboxes) if place not in self._writes]
        shared = [place for place in self._writes if place.kind != "user"]
        if not users and not shared:
            self._affirm((), [], [])
            return
        if time.monotonic() - self._announced_s > _ANNOUNCED_FOR_S:
            self._sure.clear()
        unread = [place for place in (*users, *shared) if self._of(place).version is None]
        if self._nodes.is_cluster:
            self._announce(outboxes, {place: [] for place in unread})
            self._announce(outboxes)
        else:
            self._settlement.begin(outboxes)
            self._announced += outboxes
            self._load({place: [] for place in unread})
        for place in unread:
            error = self._of(place).error
            if error is not None:
                raise error
        self._add_to_indexes(users, shared)
        written: list[bytes] = []
        for kinds in (("catalog", "credit"), ("counts", "budget", "notes")):
            self._commit_shared([place for place in shared if place.kind in kinds], written)
        last = [place for place in users if self._leaves_nothing(place)]
        first = [place for place in users if place not in last]
        done = self._commit_users(first, outboxes)
        if len(done) == len(first):
            done += self._commit_users(last, outboxes)
        self._drop_from_indexes([*done, *shared])
        if len(done) == len(users):
            self._affirm(users, done, written)
            self._look_at_names(outboxes)
            return
        if self._failed is not None and not done:
            raise self._failed
        left = {place.user for place in users} - {place.user for place in done}
        raise self._conflict(left if done or written else (), written)

    def _conflict(self, users: Iterable[str], written: Iterable[bytes]) -> WriteConflict:
        lost = frozenset(self._lost)
        turn = (lambda most_s: self._lines.wait(lost, most_s)) if lost else None
        return WriteConflict(users, written, turn)

    def _look_at_names(self, outboxes: Mapping[str, Operands]) -> None:
        """Has names looked at under which `fetch` expected rows, and nothing was written."""
        names = written_names(self._writes, outboxes)
        unused = [one for one in self._new_names if one.name not in names]
        if unused:
            self._settlement.look_at(unused)

    def _affirm(
        self, users: Sequence[Place], done: Sequence[Place], written: Sequence[bytes]
    ) -> None:
        """Makes sure that replicas have the users' rows that were read, and not written.

        An event that is known already is acknowledged by its row, which an earlier commit may have
        left on its primary alone.
        """
        if not self._nodes.waits:
            return
        read = [
            place
            for place in self._read_users.values()
            if place not in users and self._of(place).version
        ]
        replies = self._nodes.run(
            [ServerCommand(place.rows, call("user_affirm", place.rows)) for place in read],
            durable=True,
        )
        pairs = list(zip(read, replies, strict=True))
        left = [place.user for place, reply in pairs if isinstance(reply, StoreUnavailable)]
        if left and not done and not written:
            _require(replies)
        if left:
            raise WriteConflict(left, written)

    def _leaves_nothing(self, place: Place) -> bool:
        """Whether rows of a user are deleted alone, perhaps since they went to another user."""
        rows = self._writes.get(place, {})
        return bool(rows) and all(value is None for value in rows.values())

    def _add_to_indexes(self, users: Sequence[Place], shared: Sequence[Place]) -> None:
        """Names new users, contributions and budgets before they are there."""
        entries: list[Indexed] = []
        if self._nodes.is_cluster:
            for place in users:
                entries += self._new_entries(place)
        for place in shared:
            if place.kind == "budget":
                name = next(iter(self._writes[place]))
                entries.append(budget_entry(self._places, place, name[2:10]))
            entries += self._contributions(place, present=True)
        _require(self._nodes.run(additions(one for one in entries if one.name not in self._named)))

    def _new_entries(self, place: Place) -> list[Indexed]:
        """The names of a user and of contributions that may be new."""
        entries = [] if self._of(place).version else [user_entry(self._places, place)]
        return entries + self._contributions(place, present=True)

    def _contributions(self, place: Place, *, present: bool) -> list[Indexed]:
        """Contributions that are written and may be new, or that are deleted."""
        rows, known = self._writes.get(place, {}), self._of(place).rows
        return [
            contribution_entry(self._places, place, user_key(name, place.user))
            for name, value in rows.items()
            if place.kind in ("user", "credit")
            and name[0] == Kind.CONTRIBUTION
            and (value is not None) == present
            and not (present and known.get(name) is not None)
        ]

    def _drop_from_indexes(self, places: Sequence[Place]) -> None:
        """Forgets the names of rows that are gone."""
        entries = [
            user_entry(self._places, place)
            for place in places
            if place.kind == "user"
            and not any(value is not None for value in self._writes.get(place, {}).values())
        ]
        for place in places:
            entries += self._contributions(place, present=False)
        drop_gone(self._nodes, entries)

    def _commit_shared(self, places: Sequence[Place], written: list[bytes]) -> None:
        commands = []
        for place in places:
            reads, rows, id_ = self._of(place), self._writes[place], secrets.token_bytes(16)
            if place.kind == "credit":
                words = [*call("user_commit", place.rows, place.outbox, place.line), id_]
                words += [reads.version or b"", self._lines.who, b"", *changes(rows)]
            else:
                catalog = place.kind == "catalog"
                version = reads.version if catalog and reads.scanned else b"*"
                assert version is not None
                names = reads.rows if catalog else rows.keys() & reads.rows.keys()
                seen = {name: reads.rows[name] for name in names}
                words = [*call("rows_commit", place.rows, place.index, place.line), id_, version]
                words.append(self._lines.who if place.kind == "budget" else b"")
                by_key = catalog or place.kind == "notes"  # Nobody asks which notes changed.
                words += [*compared(seen), b"lex" if by_key else b"changed", *changes(rows)]
            commands.append(ServerCommand(place.rows, words))
        refused = False
        failed: StoreUnavailable | None = None
        for place, reply in zip(places, self._nodes.run(commands, durable=True), strict=True):
            if isinstance(reply, StoreUnavailable):
                failed = reply
            elif reply[0] == 1:
                written += self._keys_of(place)
                self._written.append(place)
            else:
                refused = True
                if place.kind in ("budget", "credit"):
                    self._lost.add(place)
        if failed is not None:
            raise failed
        if refused:
            raise self._conflict((), written)

    def _keys_of(self, place: Place) -> list[bytes]:
        names = self._writes[place]
        return [user_key(name, "") for name in names] if place.kind == "credit" else [*names]

    def _commit_users(
        self, places: Sequence[Place], outboxes: Mapping[str, Operands]
    ) -> list[Place]:
        """Commits users' rows and outboxes; returns the places that were written.

        Whose reply was lost is asked once more, and may be refused then, since others have written
        meanwhile: so users whose commit is refused are looked at by the settlement, too.
        """
        sent = [place for place in places if not self._of(place).changed]
        calls, id_ = [], secrets.token_bytes(16)
        for number, place in enumerate(sent):
            operands = outboxes.get(place.user, ())
            here = not self._nodes.is_cluster  # Else all names were written before.
            words = [b"%s%d" % (id_, number), self._of(place).version or b"", self._lines.who]
            words += [packed(operands), *changes(self._writes.get(place, {}))]
            names = self._new_entries(place) if here else ()
            announced = self._settlement.announcement(place.user) if here and operands else None
            calls.append(UserCommit.of(place, words, names, announced))
        with_operands = {place.user for place in sent if place.user in outboxes}
        self._unsure |= with_operands  # Whatever ends this.
        done, known = [], set[str]()
        for place, reply in zip(sent, run_commits(self._nodes, calls), strict=True):
            if isinstance(reply, StoreUnavailable):
                self._failed = reply
                continue
            known.add(place.user)
            if reply[0] == 1:
                done.append(place)
        self._to_settle |= with_operands & known
        self._unsure -= known
        self._lost |= {place for place in places if place not in done}
        self._written += done
        return done


def _require(replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, StoreUnavailable):
            raise reply
