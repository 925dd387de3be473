"""A store in memory whose transactions meet another writer, as over a network, when a test says so.

store = ConflictingStore(lambda users: users - {"u1"})  # Another writer was faster than us by u1.
store = ConflictingStore(lambda users: None)            # Nothing at all is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from penchant.store.base import Transaction, WriteConflict
from penchant.store.keys import user_of
from penchant.store.memory import MemoryStore, MemoryView

Conflicts = Callable[[frozenset[str]], frozenset[str] | None]
"""(users whose rows a transaction writes) -> those of them that are written; None: not even what
is nobody's own is written."""


def never(users: frozenset[str]) -> frozenset[str]:
    return users


class _Journal(MemoryView):
    """Its writes can be made again without some users."""

    shared = True

    def __init__(self, data: dict[bytes, bytes]) -> None:
        super().__init__(data)
        self.writes: list[tuple[str, Callable[[MemoryView], None]]] = []
        """Each with its user; empty: nobody's."""
        self.own: set[bytes] = set()
        """Keys written that are no user's."""
        self._merging = False

    @property
    def users(self) -> frozenset[str]:
        return frozenset(user for user, _ in self.writes if user)

    def put(self, key: bytes, value: bytes) -> None:
        super().put(key, value)
        self._note(user_of(key) or "", key, lambda view: view.put(key, value))

    def delete(self, key: bytes) -> None:
        super().delete(key)
        self._note(user_of(key) or "", key, lambda view: view.delete(key))

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        self._merging = True
        super().merge(key, operand, user=user)
        self._merging = False
        self._note(user, key, lambda view: view.merge(key, operand, user=user))

    def _note(self, user: str, key: bytes, write: Callable[[MemoryView], None]) -> None:
        if not self._merging:
            self.writes.append((user, write))
            if not user:
                self.own.add(key)


class ConflictingStore(MemoryStore):
    """Asks at each commit that writes something; what is nobody's own is written before users."""

    shared = True

    def __init__(self, conflicts: Conflicts = never) -> None:
        super().__init__()
        self.conflicts = conflicts
        self.raised = 0
        """How many conflicts were raised."""

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self._writing:
            view = _Journal(dict(self._data))
            yield view
            written = self.conflicts(view.users) if view.writes else frozenset()
            if written is None:
                self.raised += 1
                raise WriteConflict
            data = dict(self._data)
            again = MemoryView(data)
            for user, write in view.writes:
                if not user or user in written:
                    write(again)
            self._data = data
            if view.users - written:
                self.raised += 1
                raise WriteConflict(view.users - written, view.own)
