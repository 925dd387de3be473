"""A pass makes the target's rows those of the source, wherever its chunks end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import StateCorrupt
from penchant.store import row_copy
from penchant.store.base import Store
from penchant.store.codec import seal
from penchant.store.keys import Kind, encode
from penchant.store.memory import MemoryStore
from penchant.store.row_copy import CopyPass, copy_pass

KEYS = st.binary(min_size=1, max_size=3).map(lambda key: bytes([key[0] % 3 + 1]) + key[1:])
ROWS = st.dictionaries(KEYS, st.sampled_from([seal(b"one"), seal(b"two"), b"damaged"]))


def store_of(rows: dict[bytes, bytes]) -> MemoryStore:
    store = MemoryStore()
    with store.transaction() as transaction:
        for key, value in rows.items():
            transaction.put(key, value)
    return store


def rows_of(store: Store) -> dict[bytes, bytes]:
    with store.snapshot() as snapshot:
        return dict(snapshot.scan(b""))


def copied(source: Store, target: Store) -> CopyPass:
    return copy_pass(source, target, lambda key, value: value, lambda rows: None)


@given(ROWS, ROWS, st.integers(1, 5))
def test_one_pass_makes_them_equal_and_the_next_finds_nothing(
    mine: dict[bytes, bytes], theirs: dict[bytes, bytes], chunk: int
) -> None:
    source, target = store_of(mine), store_of(theirs)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(row_copy, "CHUNK_ROWS", chunk)
        patched.setattr(row_copy, "_LONGEST_COMMIT", {False: (2, 4)})
        first, second = copied(source, target), copied(source, target)
    assert rows_of(target) == mine
    assert first.written == sum(theirs.get(key) != value for key, value in mine.items())
    assert first.deleted == len(theirs.keys() - mine.keys())
    assert (second.changed, second.source) == (0, second.target)
    assert second.source == first.source
    assert second.source.rows == len(mine)
    assert second.damaged == [key for key, value in sorted(mine.items()) if value == b"damaged"]


@given(ROWS, ROWS)
def test_checksums_are_equal_for_equal_rows_alone(
    one: dict[bytes, bytes], other: dict[bytes, bytes]
) -> None:
    sums = [copied(store_of(rows), MemoryStore()).source for rows in (one, other)]
    assert (sums[0] == sums[1]) == (one == other)


def test_rows_of_one_engine_alone_stay() -> None:
    source = store_of({encode(Kind.RECOUNTED, 1): seal(b"mine")})
    target = store_of({encode(Kind.RECOUNTED, 2): seal(b"its own")})
    assert copied(source, target).changed == 0
    assert list(rows_of(target)) == [encode(Kind.RECOUNTED, 2)]


def test_a_source_that_cannot_be_read_ends_the_pass() -> None:
    class Torn(MemoryStore):
        def snapshot(self):  # type: ignore[no-untyped-def]  # Never returns.
            raise StateCorrupt("store: a page of data.mdb is damaged")

    with pytest.raises(StateCorrupt, match="a page"):
        copied(Torn(), MemoryStore())
