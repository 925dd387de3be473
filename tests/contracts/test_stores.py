"""The laws of a store on each engine, and the promises of single engines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.store.base import Store
from penchant.store.lmdb import LmdbStore
from penchant.store.memory import MemoryStore
from penchant.store.open import open_store
from tests.contracts.store_laws import OneMachineLaws, apply, contents

MAP_BYTES = 32 << 20


class TestMemoryStore(OneMachineLaws):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = MemoryStore()
        yield store
        store.close()

    def test_it_says_that_it_keeps_nothing(self, store: Store) -> None:
        assert not store.durable


class TestLmdbStore(OneMachineLaws):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = LmdbStore(tmp_path, map_bytes=MAP_BYTES)
        yield store
        store.close()

    def test_it_says_that_it_is_durable(self, store: Store) -> None:
        assert store.durable

    def test_reopening_keeps_what_was_committed(self, store: Store, tmp_path: Path) -> None:
        apply(store, [(b"a", b"1"), (b"b", b"2")])
        store.close()
        again = open_store(f"lmdb:{tmp_path}", map_bytes=MAP_BYTES)
        assert contents(again) == [(b"a", b"1"), (b"b", b"2")]
        again.close()

    def test_two_processes_see_each_others_commits(self, store: Store, tmp_path: Path) -> None:
        apply(store, [(b"from", b"here")])
        program = f"""
from pathlib import Path
from penchant.store.lmdb import LmdbStore
store = LmdbStore(Path({str(tmp_path)!r}), map_bytes={MAP_BYTES})
with store.transaction() as transaction:
    assert transaction.get(b"from") == b"here"
    transaction.put(b"to", b"there")
print("committed", flush=True)
input()
with store.snapshot() as snapshot:
    assert snapshot.get(b"to") == b"back again"
"""
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None
            assert other.stdin is not None
            assert other.stdout.readline() == b"committed\n"
            assert contents(store) == [(b"from", b"here"), (b"to", b"there")]
            apply(store, [(b"to", b"back again")])
            other.communicate(b"\n", timeout=300)
        assert other.returncode == 0

    def test_a_value_that_is_changed_after_it_was_read_stays_as_it_was(self, store: Store) -> None:
        apply(store, [(b"a", b"x" * 5000)])
        with store.snapshot() as snapshot:
            value = snapshot.get(b"a")
        apply(store, [(b"a", b"y" * 5000)])
        assert value == b"x" * 5000


@pytest.fixture
def full(tmp_path: Path) -> Iterator[LmdbStore]:
    """A store that was filled until it refused a write."""
    store = LmdbStore(tmp_path, map_bytes=2 << 20)

    def fill(values: int) -> None:
        """Puts so many values in each transaction; a commit waits for the disk."""
        for number in range(10_000):
            with store.transaction() as transaction:
                for place in range(values):
                    transaction.put(b"%03d %05d %03d" % (values, number, place), b"x" * 1000)

    for values in (100, 10, 1):
        with pytest.raises(StoreUnavailable, match=r"full: its map of .* raise store_map_bytes"):
            fill(values)
    yield store
    store.close()


def test_a_full_map_refuses_writes_before_it_crashes(full: LmdbStore) -> None:
    held = len(contents(full))
    assert held > 500
    assert full.usage().fraction > 0.9
    with pytest.raises(StoreUnavailable, match="raise store_map_bytes"):
        apply(full, [(b"one more", b"x")])
    assert len(contents(full)) == held


def test_a_full_map_still_reads_and_deletes(full: LmdbStore) -> None:
    first, *rest = contents(full)
    apply(full, [(first[0], None)])
    assert contents(full) == rest


def test_a_full_map_still_replaces_a_value_by_one_of_the_same_size(full: LmdbStore) -> None:
    (key, value), *rest = contents(full)
    changed = value[::-1][:-1] + b"y"
    apply(full, [(key, changed)])
    assert contents(full) == [(key, changed), *rest]
    with pytest.raises(StoreUnavailable):
        apply(full, [(key, changed + b"y")])


def test_a_write_too_large_for_the_map_is_refused_whole(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    apply(store, [(b"small", b"x")])
    with pytest.raises(StoreUnavailable, match="raise store_map_bytes"):
        apply(store, [(b"small", b"y"), (b"large", b"x" * (2 << 20))])
    assert contents(store) == [(b"small", b"x")]
    store.close()


def test_a_larger_map_makes_room_again(full: LmdbStore, tmp_path: Path) -> None:
    full.close()
    store = LmdbStore(tmp_path, map_bytes=4 << 20)
    apply(store, [(b"one more", b"x")])
    assert (b"one more", b"x") in contents(store)
    store.close()


def test_a_directory_that_cannot_be_made_is_store_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable, match="can't open LMDB"):
        LmdbStore(tmp_path / "file", map_bytes=MAP_BYTES)


@pytest.mark.parametrize("address", ["", "memory", "lmdb:", "lmdb", "redis://host", "file:/x"])
def test_an_address_of_another_form_is_a_config_error(address: str) -> None:
    with pytest.raises(ConfigError, match="expected lmdb:"):
        open_store(address)
