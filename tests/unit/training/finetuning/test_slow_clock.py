"""The slow clock of a replay: runs when due, and never reads a later event."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.evaluation.penchant import PenchantRecommender
from penchant.logs.stream import Stream
from penchant.training.slow_clock import FinetuneClock

DIMENSIONS = 8


def clock(source: Path, directory: Path, every: int) -> FinetuneClock:
    return FinetuneClock(source, directory, DIMENSIONS, every, seed=1, head_steps=20)


def test_a_round_runs_first_and_then_every_so_many_events(
    source: Path, stream: Stream, tmp_path: Path
) -> None:
    half = len(stream.events) // 2
    often, once = clock(source, tmp_path / "often", 40), clock(source, tmp_path / "once", 0)
    found = [often(stream, until) is not None for until in (half, half + 20, half + 40)]
    assert found == [True, False, True]
    assert [once(stream, until) is not None for until in (half, half + 40)] == [True, False]


def test_no_later_event_changes_a_rounds_vectors(
    source: Path, stream: Stream, tmp_path: Path
) -> None:
    half = len(stream.events) // 2
    turned = {name: getattr(stream, name).copy() for name in ("item", "reward")}
    for values in turned.values():
        values[half:] = values[half:][::-1]
    other = dataclasses.replace(stream, **turned)
    one = clock(source, tmp_path / "one", 0)(stream, half)
    same = clock(source, tmp_path / "same", 0)(other, half)
    assert one is not None
    assert same is not None
    assert one.shape == (len(stream.items), DIMENSIONS)
    np.testing.assert_array_equal(one, same)


def test_a_recommender_notes_when_its_encoder_changed(
    source: Path, stream: Stream, tmp_path: Path
) -> None:
    half = len(stream.events) // 2
    config = Config("memory:", Path("none"))
    ours = PenchantRecommender.load(config, stream, slow_clock=clock(source, tmp_path, 40))
    ours.fit(stream, half)
    before = ours.scores(0, int(stream.at_us[half]))
    ours.fit(stream, half + 20)
    ours.fit(stream, half + 40)
    assert ours.finetuned_at == [half, half + 40]
    assert (before != ours.scores(0, int(stream.at_us[half]))).any()


def test_a_negative_interval_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="finetune_every: got -1"):
        clock(source, tmp_path, -1)
