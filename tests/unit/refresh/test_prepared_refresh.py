"""A refresh is made ready beside its transaction, which stays short, and loses no change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.residuals import anchored
from penchant.domain.types import Vector
from penchant.refresh import prepared_refresh
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.store.base import Store, Transaction
from penchant.store.item_residuals import read_residual, scan_residuals, stage_residuals
from penchant.store.keys import Kind, encode
from penchant.store.memory import MemoryStore
from tests.support.catalogs import assert_same_catalog, head, ranked, second_reader
from tests.support.world import World, liked


class CountingStore(MemoryStore):
    """Counts the rows that each transaction reads or writes."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[int] = []

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as inner:
            counted = _Counted(inner)
            yield counted
        self.rows.append(counted.rows)


class _Counted:
    def __init__(self, inner: Transaction) -> None:
        self._inner = inner
        self.shared = inner.shared
        self.rows = 0

    def get(self, key: bytes) -> bytes | None:
        self.rows += 1
        return self._inner.get(key)

    def scan(self, prefix: bytes, start: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        for row in self._inner.scan(prefix, start):
            self.rows += 1
            yield row

    def fetch(self, keys: Iterable[bytes]) -> None:
        self._inner.fetch(keys)

    def fetch_users(self, users: Iterable[str]) -> None:
        self._inner.fetch_users(users)

    def put(self, key: bytes, value: bytes) -> None:
        self.rows += 1
        self._inner.put(key, value)

    def merge(self, key: bytes, operand: bytes, *, user: str = "") -> None:
        self.rows += 1
        self._inner.merge(key, operand, user=user)

    def settle(self) -> None:
        self._inner.settle()

    def delete(self, key: bytes) -> None:
        self.rows += 1
        self._inner.delete(key)


def shop(directory: Path, items: int, store: MemoryStore | None = None) -> World:
    world = World(directory, store=store)
    world.put(**{f"i{n}": f"word{n % 7} film {n}" for n in range(items)})
    for user in range(6):
        for place in range(5):
            number = (user % 2 + 2 * place) % items
            world.feed(liked(f"{user}-{place}", f"i{number}", user=f"u{user}", ago_s=100 - place))
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return shop(tmp_path, 20)


def refresh(world: World) -> None:
    refresh_store(world.store, world.directory, world.config, RefreshSettings())


def test_the_transaction_that_switches_touches_as_many_rows_whatever_the_catalog_holds(
    tmp_path: Path,
) -> None:
    touched = []
    for items in (20, 400):
        store = CountingStore()
        world = shop(tmp_path / str(items), items, store)
        store.rows.clear()
        refresh(world)
        assert head(world).neighbours == 1
        touched.append(store.rows[-1])
    assert touched[0] == touched[1] < 20


def while_publishing(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Makes a change of the catalog after the refresh is made ready, before it switches."""

    def staged(store: Store, version: str, residuals: Sequence[tuple[int, Vector]]) -> str:
        name = stage_residuals(store, version, residuals)
        change()
        return name

    monkeypatch.setattr(prepared_refresh, "stage_residuals", staged)


def test_what_changed_while_it_was_made_ready_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change() -> None:
        world.put(late="a late film", i0="quite another text")
        world.catalog.delete(["i3"])

    while_publishing(monkeypatch, change)
    refresh(world)
    view = world.view()
    assert view.number("i3") is None
    late, text = world.encoder.encode(["a late film", "quite another text"])
    np.testing.assert_array_equal(view.vectors[view.numbers["late"]], late)
    with world.store.snapshot() as snapshot:
        residual = read_residual(snapshot, world.encoder.version, 0)
    assert residual is not None
    np.testing.assert_array_equal(view.vectors[0], anchored(text[None], residual[None])[0])
    assert_same_catalog(view, second_reader(world))
    again = World(world.directory, store=world.store)
    assert {id_ for id_, _ in ranked(again)} == {id_ for id_, _ in ranked(world)}


def test_readers_see_nothing_of_a_refresh_that_was_killed_and_the_next_one_removes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(world)
    before = head(world)
    with world.store.snapshot() as snapshot:
        old = list(scan_residuals(snapshot, world.encoder.version))

    def killed() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        while_publishing(patch, killed)
        with pytest.raises(KeyboardInterrupt):
            refresh(world)
    assert head(world) == before
    with world.store.snapshot() as snapshot:
        for (number, one), (same, other) in zip(
            old, scan_residuals(snapshot, world.encoder.version), strict=True
        ):
            assert number == same
            np.testing.assert_array_equal(one, other)
        staged = sum(1 for _ in snapshot.scan(encode(Kind.RESIDUAL)))
    assert staged == 2 * len(old)
    refresh(world)
    with world.store.snapshot() as snapshot:
        assert sum(1 for _ in snapshot.scan(encode(Kind.RESIDUAL))) == len(old)


def test_the_vectors_are_those_that_the_store_gives(world: World) -> None:
    refresh(world)
    vectors = np.array(world.view().vectors)
    for path in world.directory.glob("vectors-*"):
        path.unlink()
    again = World(world.directory, store=world.store)
    np.testing.assert_array_equal(again.view().vectors, vectors)
