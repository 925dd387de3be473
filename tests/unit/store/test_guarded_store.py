"""A store that is away costs one wait, then nothing, and is used again as soon as it answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import Snapshot
from penchant.store.guarded_store import GuardedStore
from penchant.store.keys import Kind, encode
from penchant.store.memory import MemoryStore
from penchant.store.remembered_rows import RememberedRows, is_remembered
from tests.support.absent_store import AbsentStore

ROW, OTHER = encode(Kind.USER, "a"), encode(Kind.USER, "b")


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _read(store: GuardedStore, key: bytes = ROW) -> bytes | None:
    with store.snapshot() as snapshot:
        return snapshot.get(key)


def _write(store: GuardedStore) -> None:
    with store.transaction() as transaction:
        transaction.put(ROW, b"new")


def _write_while(store: GuardedStore, happens: Callable[[], None]) -> None:
    with store.transaction() as transaction:
        transaction.put(ROW, b"lost")
        happens()


def test_calls_are_refused_at_once_while_the_store_is_away_and_go_on_without_a_restart() -> None:
    engine = AbsentStore(MemoryStore())
    store = GuardedStore(engine)
    _write(store)
    engine.leave()
    with pytest.raises(StoreUnavailable, match="no answer in time"):
        _read(store)
    assert store.away
    for call in (_read, _write, GuardedStore.usage):
        with pytest.raises(StoreUnavailable, match="it does not answer, and nothing was read"):
            call(store)
    engine.come_back()
    _wait_until(lambda: not store.away)
    assert _read(store) == b"new"
    store.close()


def test_a_commit_that_is_not_answered_and_one_that_cannot_begin_count_too() -> None:
    engine = AbsentStore(MemoryStore())
    store = GuardedStore(engine)
    with pytest.raises(StoreUnavailable):
        _write_while(store, engine.leave)
    assert store.away
    engine.come_back()
    _wait_until(lambda: not store.away)
    assert _read(store) is None
    store.close()


def test_the_failure_of_a_body_is_not_the_stores() -> None:
    store = GuardedStore(MemoryStore())
    for begin in (store.snapshot, store.transaction):
        with pytest.raises(StoreUnavailable, match="the files"), begin():
            raise StoreUnavailable("catalog: the files are missing")
    assert not store.away


def test_a_store_that_refuses_is_not_away() -> None:
    engine = _Failing(MemoryStore())
    store = GuardedStore(engine)
    engine.errors = {ROW: StoreUnavailable("store: the server is full")}
    with pytest.raises(StoreUnavailable, match="is full"):
        _read(store)
    assert not store.away
    assert engine.asked == [ROW]  # It has answered: nobody asks again.
    store.close()


def test_one_server_that_is_away_is_not_the_store_while_the_catalog_answers() -> None:
    engine = _Failing(MemoryStore())
    store = GuardedStore(engine)
    silent = StoreUnavailable("store: no answer in time", silent=True)
    engine.errors = {ROW: silent}
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="no answer in time"):
            _read(store)
        assert (store.away, _read(store, OTHER)) == (False, None)
    engine.errors = {ROW: silent, encode(Kind.HEAD): silent}
    with pytest.raises(StoreUnavailable, match="no answer in time"):
        _read(store)
    assert store.away
    engine.errors = {ROW: silent}
    _wait_until(lambda: not store.away)
    store.close()


class _Failing(AbsentStore):
    """A store some of whose rows can't be read."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.errors: dict[bytes, StoreUnavailable] = {}
        self.asked: list[bytes] = []

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with super().snapshot() as snapshot:
            read = snapshot.get

            def get(key: bytes) -> bytes | None:
                self.asked.append(key)
                if key in self.errors:
                    raise self.errors[key]
                return read(key)

            snapshot.get = get  # type: ignore[method-assign]
            yield snapshot


def test_what_was_read_last_stands_in_for_a_store_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = AbsentStore(MemoryStore())
    store = GuardedStore(engine, RememberedRows())
    _write(store)
    assert (_read(store), _read(store, OTHER)) == (b"new", None)
    engine.leave()
    with pytest.raises(StoreUnavailable):
        _read(store)
    asking: list[threading.Thread] = []
    answer = engine.answer

    def heard() -> None:
        asking.append(threading.current_thread())
        answer()

    monkeypatch.setattr(engine, "answer", heard)
    with store.snapshot() as snapshot:
        assert is_remembered(snapshot)
        assert (snapshot.get(ROW), snapshot.get(OTHER)) == (b"new", None)
        with pytest.raises(StoreUnavailable, match="more than what the server remembers"):
            list(snapshot.scan(ROW))
    assert threading.current_thread() not in asking  # Only the thread that waits for its return.
    engine.come_back()
    _wait_until(lambda: not store.away)
    store.close()


def test_remembered_rows_are_bounded_and_those_read_longest_ago_go_first() -> None:
    rows = RememberedRows(most_bytes=10_000)
    for number in range(100):
        rows.note(encode(Kind.USER, str(number)), b"x" * 400)
        rows.note(ROW, b"y" * 100)
    assert rows.used_bytes <= 10_000
    assert rows.get(ROW) == b"y" * 100
    assert rows.get(encode(Kind.USER, "99")) == b"x" * 400
    assert rows.get(encode(Kind.USER, "0")) is None
