"""The catalog's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.catalog import files
from penchant.catalog.files import Frozen
from penchant.domain.cold_start import ColdStartPrior
from penchant.domain.types import CatalogHead

ENDINGS = {"vectors": "f32", "offsets": "f32", "version": "npz", "neighbours": "npy"}


@given(rows=st.integers(0, 100_000))
def test_a_new_generation_has_room_for_as_many_again(rows: int) -> None:
    capacity = files.capacity_for(rows)
    assert capacity >= max(2 * rows, files.MIN_CAPACITY)
    assert capacity & (capacity - 1) == 0


def test_what_was_written_is_mapped_and_what_is_appended_is_seen(tmp_path: Path) -> None:
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    files.write_generation(tmp_path, 4, vectors, np.array([1, 2, 3], np.float32))
    mapped = files.map_vectors(tmp_path, 4, 2)
    assert mapped.shape == (files.MIN_CAPACITY, 2)
    assert mapped[:3].tolist() == vectors.tolist()
    assert files.map_offsets(tmp_path, 4)[:3].tolist() == [1, 2, 3]
    assert files.append_rows(tmp_path, 4, 3, np.full((2, 2), 9, np.float32))
    assert mapped[:5].tolist() == [*vectors.tolist(), [9, 9], [9, 9]]


def test_a_full_file_takes_no_more_rows_and_keeps_what_it_has(tmp_path: Path) -> None:
    files.write_generation(tmp_path, 1, np.ones((1, 2), np.float32), np.zeros(1, np.float32))
    last = files.MIN_CAPACITY - 1
    assert not files.append_rows(tmp_path, 1, last, np.full((2, 2), 9, np.float32))
    assert not files.map_vectors(tmp_path, 1, 2)[last].any()
    assert files.append_rows(tmp_path, 1, last, np.full((1, 2), 9, np.float32))


def test_a_version_is_read_as_it_was_written(tmp_path: Path) -> None:
    frozen = Frozen(np.eye(3), np.array([1.0, 2.0, 3.0]), ColdStartPrior(np.arange(4.0), 5))
    files.write_version(tmp_path, 7, frozen)
    read = files.read_version(tmp_path, 7)
    np.testing.assert_array_equal(read.gram, frozen.gram)
    np.testing.assert_array_equal(read.prior_mean, frozen.prior_mean)
    np.testing.assert_array_equal(read.cold_start_prior.weights, frozen.cold_start_prior.weights)
    assert read.cold_start_prior.as_of_us == 5
    assert [path.name for path in tmp_path.iterdir()] == ["version-7.npz"]


def test_the_newest_files_outlive_pruning(tmp_path: Path) -> None:
    names = [
        f"{name}-{n}.{end}"
        for n in range(1, 9)
        for name, end in [
            ("vectors", "f32"),
            ("offsets", "f32"),
            ("coarse", "i8"),
            ("version", "npz"),
            ("neighbours", "npy"),
        ]
    ]
    for name in [*names, "notes.txt"]:
        (tmp_path / name).write_bytes(b"")
    files.prune(tmp_path, CatalogHead(version=6, generation=8, neighbours=5))
    left = {path.name for path in tmp_path.iterdir()}
    assert "notes.txt" in left
    assert {f"vectors-{n}.f32" in left for n in range(5, 9)} == {True}
    assert {f"version-{n}.npz" in left for n in range(3, 9)} == {True}
    assert {f"neighbours-{n}.npy" in left for n in range(2, 9)} == {True}
    assert {"neighbours-1.npy", "vectors-4.f32", "offsets-4.f32", "version-2.npz"}.isdisjoint(left)
    assert {f"coarse-{n}.i8" in left for n in range(5, 9)} == {True}
    assert "coarse-4.i8" not in left


def test_files_that_are_not_there_are_file_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.map_vectors(tmp_path, 1, 2)
    with pytest.raises(FileNotFoundError):
        files.read_version(tmp_path, 1)
