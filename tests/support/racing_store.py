"""A store in memory that several servers write to, with places, as over a network.

Transactions run side by side: what they read is compared place by place when they commit. Before a
commit, `meet` lets another writer run, so that tests interleave two services in one thread. What is
merged waits with its user until `settle`.

store = RacingStore()
store.meet = lambda: other.feed(event)   # Another server, before each commit of the one under test.
store.fails = lambda place: place == "u:ann"   # Somebody was faster by this place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from penchant.store.base import Snapshot, Transaction, WriteConflict
from penchant.store.keys import Kind, user_of
from penchant.store.memory import MemoryStore, MemoryView
from penchant.store.merges import merged_row

COUNTS = {Kind.COUNTERS, Kind.NEWEST, Kind.ACCEPTED, Kind.SUMS, Kind.RECOUNTED}
"""Kinds of rows that all users' events add up to."""


def place_of(key: bytes) -> str:
    """The place of a key: `u:` and a user, `b:` and a budget, `counts` or `catalog`."""
    user = user_of(key)
    if user is not None:
        return f"u:{user}"
    if key[:1] in (bytes([Kind.BUDGET]), bytes([Kind.BALANCE])):
        return f"b:{key[1:10].hex()}"
    return "counts" if key[0] in COUNTS else "catalog"


class _RacingView(MemoryView):
    """Sees the store as of its beginning, and its own writes."""

    shared = True

    def __init__(self, store: RacingStore) -> None:
        super().__init__(dict(store.rows))
        self._store = store
        self._before = store.rows
        self.versions = dict(store.versions)
        self.read: dict[bytes, bytes | None] = {}
        self.scanned: set[str] = set()
        self.writes: dict[bytes, bytes | None] = {}
        self.operands: defaultdict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
        self._merging = False

    def get(self, key: bytes) -> bytes | None:
        if key not in self.writes:
            self.read.setdefault(key, self._before.get(key))
        return super().get(key)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        self.scanned.add(place_of(prefix) if prefix else "catalog")
        yield from super().scan(prefix, start)

    def put(self, key: bytes, value: bytes) -> None:
        super().put(key, value)
        if not self._merging:
            self.writes[key] = value

    def delete(self, key: bytes) -> None:
        super().delete(key)
        if not self._merging:
            self.writes[key] = None

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        assert user, "on the way of an event, somebody's"
        self._merging = True
        super().merge(key, operand, user=user)
        self._merging = False
        self.operands[user].append((key, operand))

    def settle(self) -> None:
        self._store.settle()


class RacingStore(MemoryStore):
    """See the module; never raises anything but WriteConflict."""

    shared = True

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[bytes, bytes] = {}
        self.versions: dict[str, int] = {}
        self.outbox: list[tuple[bytes, bytes]] = []
        self.meet: Callable[[], None] = lambda: None
        self.fails: Callable[[str], bool] = lambda place: False
        self.conflicts = 0
        self._depth = 0

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        yield MemoryView(dict(self.rows))

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        view = _RacingView(self)
        yield view
        if not (view.writes or view.operands):
            return
        if not self._depth:
            self._depth += 1
            try:
                self.meet()
            finally:
                self._depth -= 1
        self._commit(view)

    def settle(self) -> None:
        """Applies all operands that wait."""
        for key, operand in self.outbox:
            self._write(key, merged_row(key, self.rows.get(key), operand))
        self.outbox = []

    def _commit(self, view: _RacingView) -> None:
        by_place: defaultdict[str, dict[bytes, bytes | None]] = defaultdict(dict)
        for key, value in view.writes.items():
            by_place[place_of(key)][key] = value
        for user in view.operands:
            by_place[f"u:{user}"] = by_place[f"u:{user}"]
        written: set[bytes] = set()
        for place in sorted(place for place in by_place if not place.startswith("u:")):
            if self._lost(view, place):
                self.conflicts += 1
                raise WriteConflict((), written)
            self._put(place, by_place[place])
            written |= by_place[place].keys()
        users = [place for place in by_place if place.startswith("u:")]
        # Those of whom nothing is left go last, and only once all others are written.
        users.sort(key=lambda place: any(by_place[place].values()), reverse=True)
        lost = set[str]()
        for place in users:
            goes = bool(by_place[place]) and not any(by_place[place].values())
            if (goes and lost) or self._lost(view, place):
                lost.add(place[2:])
                continue
            self._put(place, by_place[place])
            self.outbox += view.operands.get(place[2:], [])
        if lost:
            self.conflicts += 1
            raise WriteConflict(lost if len(lost) < len(users) else (), written)

    def _lost(self, view: _RacingView, place: str) -> bool:
        if self.fails(place):
            return True
        if place.startswith("u:") or place in view.scanned:
            return view.versions.get(place) != self.versions.get(place)
        return any(
            self.rows.get(key) != value
            for key, value in view.read.items()
            if place_of(key) == place
        )

    def _put(self, place: str, rows: dict[bytes, bytes | None]) -> None:
        self.versions[place] = self.versions.get(place, 0) + 1
        for key, value in rows.items():
            self._write(key, value)

    def _write(self, key: bytes, value: bytes | None) -> None:
        rows = dict(self.rows)
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
        self.rows = rows
