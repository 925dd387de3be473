"""What a release has learnt about weights and popularity goes where its items go."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from penchant.domain.neighbours import no_neighbours
from penchant.domain.types import Matrix
from penchant.releases.release_items import ReleasedItems, read_items

IDS = ["a", "b", "c"]
LATER = ("popularity", "learnt", "tail")


def unit(count: int) -> Matrix:
    rows = np.random.default_rng(1).standard_normal((count, 4)).astype(np.float32)
    unit_rows: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit_rows


def released() -> ReleasedItems:
    return ReleasedItems(
        ids=IDS,
        texts=["red", "blue", "green"],
        text_vectors=unit(3),
        residuals=np.zeros((3, 4), np.float32),
        neighbours=no_neighbours(),
        prior_mean=np.zeros(4),
        offsets=np.zeros(3, np.float32),
        popularity=np.array([1.0, 2.0, 3.0], np.float32),
        learnt={"fast_weight": 7.5, "offset_weight": 0.25},
        tail=np.array([0.25, 0.5, 0.75], np.float32),
    )


def test_a_file_keeps_them(tmp_path: Path) -> None:
    released().write(tmp_path / "items.npz")
    found = read_items(tmp_path / "items.npz")
    assert found.learnt == {"fast_weight": 7.5, "offset_weight": 0.25}
    assert found.popularity.tolist() == [1.0, 2.0, 3.0]
    assert found.tail.tolist() == [0.25, 0.5, 0.75]


def test_another_catalog_gets_them_by_id_and_new_items_none() -> None:
    fresh = released().refreshed(["c", "new", "a"], unit(3))
    assert fresh.learnt.settings == {"fast_weight": 7.5, "offset_weight": 0.25}
    assert fresh.popularity.tolist() == [3.0, 0.0, 1.0]
    assert fresh.tail.tolist() == [0.75, 1.0, 0.25]


def test_a_file_of_an_earlier_version_has_learnt_nothing(tmp_path: Path) -> None:
    released().write(tmp_path / "items.npz")
    with np.load(tmp_path / "items.npz") as arrays:
        old = {name: arrays[name] for name in arrays if name not in LATER}
    np.savez(tmp_path / "old.npz", **old)
    found = read_items(tmp_path / "old.npz")
    assert (found.learnt, len(found.popularity), len(found.tail)) == ({}, 0, 0)
    assert found.refreshed(IDS, unit(3)).learnt.settings == {}
