"""The store of many servers: see `penchant.store.base.Store`, and ADR 16 for its design."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.store.base import Snapshot, Transaction, Usage
from penchant.store.keys import Kind, encode
from penchant.store.valkey.kept_catalog import KeptCatalog
from penchant.store.valkey.places import Places, clashing_word, unescaped
from penchant.store.valkey.server_durability import info, read_durability
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.server_presence import ServerPresence
from penchant.store.valkey.settlement import Settlement
from penchant.store.valkey.store_lease import StoreLease
from penchant.store.valkey.stored_files import StoredFiles
from penchant.store.valkey.valkey_address import ValkeyAddress
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes
from penchant.store.valkey.valkey_snapshot import ValkeySnapshot
from penchant.store.valkey.valkey_transaction import ValkeyTransaction
from penchant.store.valkey.writer_lines import WriterLines

log = logging.getLogger("penchant")

ChangesCursor = tuple[bytes, ...]
"""Where `changed_counts` goes on: the version of each shard."""


class ValkeyStore:
    """One namespace on a server or a cluster. Open it once per process, and not before a fork."""

    shared = True

    def __init__(self, address: ValkeyAddress) -> None:
        """Opens the store, which begins to be with its first row.

        Raises:
            ConfigError: the client library is not installed, a file of the address can't be used,
                or the namespace would share keys with another one.
            StoreUnavailable: no server answers, or one may evict rows.
        """
        self._nodes = ValkeyNodes(address)
        self._namespace = address.namespace
        self._tenants = f"{{{address.namespace}:tenants}}".encode()
        self._notice = f"{{{address.namespace}:notice}}".encode()
        self._presence = ServerPresence(self._nodes, address.namespace)
        self._places = Places(address.namespace)
        try:
            self._check_namespace()
        except BaseException:
            self._nodes.close()
            raise
        self._kept = KeptCatalog()
        self._settlement = Settlement(self._nodes, self._places)
        self._lines = WriterLines(self._nodes)
        self.durability = read_durability(self._nodes, address.wait)
        self.durable = self.durability.logged
        if self.durability.maxmemory_policy != "noeviction":
            self._nodes.close()
            raise StoreUnavailable(
                f"store: maxmemory-policy: got {self.durability.maxmemory_policy}, expected "
                "noeviction: a server that is full would throw users away"
            )

    def _check_namespace(self) -> None:
        """Refuses a new store whose keys others may have as well.

        Raises:
            ConfigError: the namespace holds one of `PLACE_WORDS`, and no server has served it yet.
            StoreUnavailable: no server answers.
        """
        word = clashing_word(self._namespace)
        if word is None:
            return
        rows, kinds = self._places.catalog.rows, (Kind.SETTINGS, Kind.HEAD)
        ((*found,),) = self._all([(rows, b"HMGET", rows, *map(encode, kinds))])
        if not any(found):
            raise ConfigError(
                f"store: the namespace: got {self._namespace!r}, expected none with {word!r} "
                "behind a colon or slash: stores have keys of that name; choose another, such as "
                f"{self._namespace.replace(':', '-')}"
            )
        log.warning(
            "store: the namespace %s may share keys with another store, by its word %r; move it to "
            "another namespace (penchant migrate to a directory, and from there)",
            self._namespace,
            word,
        )

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """See `Store.snapshot`; nothing is read before the first read."""
        yield ValkeySnapshot(self._nodes, self._places, self._kept)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store.transaction`; transactions run side by side, and may conflict."""
        transaction = ValkeyTransaction(
            self._nodes, self._places, self._kept, self._settlement, self._lines
        )
        try:
            yield transaction
        except BaseException:
            transaction.end()
            raise
        transaction.commit()

    def usage(self) -> Usage:
        """See `Store.usage`: the memory of all primaries, whatever else they hold.

        Entries are rows of the catalog and of counts, users and budgets.
        """
        used = limit = 0
        for node in self._nodes.primaries:
            memory = info(self._nodes, node, b"memory")
            used += int(memory["used_memory"])
            limit += int(memory.get("maxmemory", 0))
        places, counted = self._places, [self._places.catalog.index]
        commands = [
            ServerCommand(index, [b"ZCARD", index])
            for index in (*counted, *places.user_indexes, places.budget_index)
        ]
        commands += [ServerCommand(place.rows, [b"HLEN", place.rows]) for place in places.counts]
        replies = self._nodes.run(commands)
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                raise reply
        shards = [max(0, length - 2) for length in replies[-len(places.counts) :]]
        entries = sum(replies[: -len(places.counts)]) + sum(shards)
        return Usage(used_bytes=used, map_bytes=limit, entries=entries)

    @property
    def files(self) -> StoredFiles:
        """Files that the servers of this store share; they are no rows."""
        return StoredFiles(self._nodes, self._namespace)

    def lease(self, name: str) -> StoreLease:
        """A lease that one process of all servers can hold at a time, not held yet."""
        return StoreLease(self._nodes, self._namespace, name)

    def tenants(self) -> list[str]:
        """Names of the tenants that have stores of their own beside this one, in order.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return sorted(name.decode() for name in self._asked(b"SMEMBERS", self._tenants))

    def note_tenant(self, name: str) -> None:
        """Notes that a tenant has a store beside this one; raises StoreUnavailable."""
        self._asked(b"SADD", self._tenants, name.encode())

    def announce(self, who: str) -> None:
        """Says that this process writes to the store until it is closed; raises StoreUnavailable.

        Args:
            who: the process, as others shall name it.
        """
        self._presence.begin(who)

    def users(self) -> list[str]:
        """The other processes that have said so, or did until a moment ago.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return self._presence.others()

    def notice(self) -> bytes | None:
        """The note beside the rows (`penchant.store.move_note`); raises StoreUnavailable."""
        content = self._asked(b"GET", self._notice)
        return None if content is None else bytes(content)

    def keep_notice(self, content: bytes) -> None:
        """Replaces that note; raises StoreUnavailable."""
        self._asked(b"SET", self._notice, content)

    def unsettled(self) -> int:
        """How many users have operands that are not applied yet; looks at every user.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        return sum(1 for _ in self._with_operands())

    def _with_operands(self) -> Iterator[str]:
        """Users with operands that are not applied yet; looks at every user."""
        low = dict.fromkeys(self._places.user_indexes, b"-")
        while low:
            pages = self._all(
                (index, b"ZRANGEBYLEX", index, bound, b"+", b"LIMIT", b"0", b"1024")
                for index, bound in low.items()
            )
            low = {
                index: b"(" + page[-1]
                for index, page in zip(low, pages, strict=True)
                if len(page) == 1024
            }
            users = [unescaped(text) for page in pages for text in page]
            outboxes = [self._places.user(user).outbox for user in users]
            lengths = self._all((outbox, b"LLEN", outbox) for outbox in outboxes)
            yield from (user for user, length in zip(users, lengths, strict=True) if length)

    def forget_settled(self) -> None:
        """Drops the notes, by users' names, of which operands are applied and which announced.

        They go by themselves some ten minutes after a user's last operand. All operands must be
        applied (`unsettled`), and no other process may write meanwhile.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        (budgets,) = self._all(
            [(self._places.budget_index, b"ZRANGE", self._places.budget_index, b"0", b"-1")]
        )
        places = [*self._places.counts, self._places.notes, *map(self._places.budget, budgets)]
        keys = [*(place.applied for place in places), *self._places.pending]
        self._all((key, b"DEL", key) for key in keys)

    def _all(self, commands: Iterable[Sequence[bytes]]) -> list[Any]:
        """The replies to commands, each with its key in front; raises StoreUnavailable."""
        replies = self._nodes.run([ServerCommand(key, words) for key, *words in commands])
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                raise reply
        return replies

    def _asked(self, *words: bytes) -> Any:
        (reply,) = self._nodes.run([ServerCommand(words[1], words)], durable=True)
        if isinstance(reply, StoreUnavailable):
            raise reply
        return reply

    def settle(self, *, everyone: bool = False) -> None:
        """Applies all operands that any server has committed and nobody has applied yet.

        Args:
            everyone: looks at every user, whether a server has announced operands or not: older
                releases could withdraw an announcement too early.

        Raises:
            StoreUnavailable: some of it can't be applied now.
        """
        self._settlement.settle_all(self._with_operands() if everyone else ())

    def changed_counts(
        self, cursor: ChangesCursor | None = None
    ) -> tuple[ChangesCursor, list[tuple[bytes, bytes | None]]]:
        """Rows of counts that were changed since a call before, whoever changed them.

        Args:
            cursor: as that call returned it; None: all rows that there are.

        Returns:
            The cursor for the next call, and keys with their rows; None: it is deleted. A row may
            be reported twice.

        Raises:
            StoreUnavailable: a server is away.
        """
        before: Sequence[bytes] = cursor or [b"0"] * len(self._places.counts)
        replies = self._nodes.run(
            [
                ServerCommand(place.rows, [*call("rows_changed", place.rows, place.index), version])
                for place, version in zip(self._places.counts, before, strict=True)
            ]
        )
        versions: list[bytes] = []
        rows: list[tuple[bytes, bytes | None]] = []
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                raise reply
            version, keys, values = reply
            versions.append(version)
            rows += [(key, value or None) for key, value in zip(keys, values, strict=True)]
        return tuple(versions), rows

    def close(self) -> None:
        """Settles what was committed, and closes the connections."""
        self._presence.close()
        self._settlement.close()
        self._nodes.close()
