"""Frozen rankings: equal to those of a replay, and kept in a self-contained file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.evaluation.gates import probes as freezing
from penchant.evaluation.gates.probe_file import read_probes, write_probes
from penchant.evaluation.gates.probe_ranks import probe_ranks
from penchant.evaluation.gates.probes import ProbeSet, freeze_probes
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from tests.unit.evaluation.gates.planted import CONFIG, kind_vectors, planted_log
from tests.unit.evaluation.streams import random_stream

BARE = FoldSettings(offset_weight=0.0, near_weight=0.0)


def equal(one: ProbeSet, two: ProbeSet) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(two, field.name))
        for field in dataclasses.fields(ProbeSet)
    )


@pytest.mark.parametrize("candidates", ["unseen", "all"])
def test_a_probe_set_ranks_as_a_replay_without_popularity_does(candidates: str) -> None:
    """The stream holds impressions and their answers, which the frozen window must keep apart."""
    stream = random_stream(7, events=300)
    replay_config = ReplayConfig(0.0, refresh_every=0, candidates=candidates)
    targets = choose_targets(stream, replay_config)
    known = targets.earlier > 0
    targets = dataclasses.replace(
        targets,
        positions=targets.positions[known],
        earlier=targets.earlier[known],
        item_age=targets.item_age[known],
    )
    vectors = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    recommender = PenchantRecommender(dataclasses.replace(CONFIG, fold=BARE), vectors)
    expected = replay(stream, recommender, targets, replay_config).rank
    probes = freeze_probes(stream, range(300), 1000, candidates=candidates)
    assert probes.ids == tuple(item.id for item in stream.items)
    np.testing.assert_array_equal(probe_ranks(probes, vectors, BARE), expected)


def test_popularity_and_neighbours_never_count() -> None:
    probes = freeze_probes(planted_log(), range(200, 400), 50)
    np.testing.assert_array_equal(
        probe_ranks(probes, kind_vectors(), BARE),
        probe_ranks(probes, kind_vectors(), FoldSettings()),
    )


def test_a_file_round_trips_and_equal_sets_give_equal_bytes(tmp_path: Path) -> None:
    probes = freeze_probes(random_stream(7, events=300), range(100, 250), 30, seed=3)
    again = freeze_probes(random_stream(7, events=300), range(100, 250), 30, seed=3)
    assert len(probes.lengths) == 30
    assert equal(probes, again)
    assert not equal(probes, freeze_probes(random_stream(7, 300), range(100, 250), 30, seed=4))
    for name, one in (("a", probes), ("b", again)):
        write_probes(tmp_path / name, one)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert equal(read_probes(tmp_path / "a"), probes)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_window_holds_earlier_events_alone_and_no_user_is_named() -> None:
    stream = random_stream(7, events=300)
    probes = freeze_probes(stream, range(100, 250), 30)
    moments = np.repeat(probes.at_us, probes.lengths)
    assert (probes.windows["occurred_at_us"] < moments).all()
    assert not probes.windows["event"].any()
    assert set(probes.user.tolist()) <= set(range(len(stream.users)))


def test_of_too_many_items_the_relevant_ones_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freezing, "ITEMS", 20)
    stream = random_stream(7, events=300)
    probes = freeze_probes(stream, range(100, 250), 10)
    assert len(probes.ids) == 20
    assert probes.windows["item"].max() < 20
    assert (probes.lengths > 0).all()


@pytest.mark.parametrize(
    ("part", "size", "message"),
    [
        (range(1), 5, "no relevant event at 0 to 1"),
        (range(300), 0, "size: got 0"),
    ],
)
def test_nothing_to_freeze_is_an_error(part: range, size: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        freeze_probes(random_stream(7, events=300), part, size)


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        read_probes(tmp_path)
    with pytest.raises(ConfigError, match=r"p\.parquet: can't be read: No such file or directory"):
        read_probes(path)
    path.write_bytes(b"no parquet")
    with pytest.raises(ConfigError, match=r"p\.parquet: holds no frozen rankings"):
        read_probes(path)
    pq.write_table(pa.table({"target": [1]}), path)
    with pytest.raises(ConfigError, match=r"p\.parquet: holds no frozen rankings"):
        read_probes(path)
    metadata = {b"penchant.probes": b'{"format": 2}'}
    pq.write_table(pa.table({"target": [1]}).replace_schema_metadata(metadata), path)
    with pytest.raises(ConfigError, match="format: got 2, expected 1"):
        read_probes(path)
    metadata = {b"penchant.probes": b'{"format": 1, "items": [], "candidates": "all"}'}
    pq.write_table(pa.table({"target": [1]}).replace_schema_metadata(metadata), path)
    with pytest.raises(ConfigError, match="holds no rankings"):
        read_probes(path)
    probes = freeze_probes(random_stream(7, events=300), range(100, 250), 30)
    write_probes(path, dataclasses.replace(probes, target=probes.target + 1000))
    with pytest.raises(ConfigError, match="target: numbers of more than 40 items"):
        read_probes(path)
