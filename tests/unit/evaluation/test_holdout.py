"""Items held out of the training part: dropped there, kept later, credited when they appear."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import Vector
from penchant.evaluation.holdout import hold_out
from penchant.evaluation.penchant import PenchantRecommender, Refresh, middle_clock
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream
from tests.unit.evaluation.baselines.planted import ITEMS, planted
from tests.unit.evaluation.streams import random_stream

STREAM = planted()


@given(share=st.floats(0, 0.9), seed=st.integers(0, 100), fraction=st.floats(0.05, 0.9))
def test_the_training_part_loses_the_events_of_the_chosen_items_alone(
    share: float, seed: int, fraction: float
) -> None:
    replay_config = ReplayConfig(fraction)
    start = replay_config.start(STREAM)
    shorter, shorter_config = hold_out(STREAM, replay_config, share, seed)
    chosen = np.flatnonzero(shorter.put_at)
    assert len(chosen) == int(share * ITEMS)
    left = shorter_config.start(shorter)
    assert set(shorter.put_at[chosen].tolist()) <= {left}
    kept = np.flatnonzero(~np.isin(STREAM.item[:start], chosen))
    assert shorter.events[:left] == tuple(STREAM.events[place] for place in kept)
    assert shorter.events[left:] == STREAM.events[start:]
    np.testing.assert_array_equal(shorter.user[left:], STREAM.user[start:])


def test_without_a_share_nothing_changes() -> None:
    shorter, replay_config = hold_out(STREAM, ReplayConfig(0.3), 0.0, seed=1)
    assert shorter.events == STREAM.events
    assert not shorter.put_at.any()
    assert replay_config.start(shorter) == ReplayConfig(0.3).start(STREAM)


@pytest.mark.parametrize("share", [-0.1, 1.0, 2.0])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="hold_out_items: got"):
        hold_out(STREAM, ReplayConfig(0.3), share, seed=1)


def test_items_that_appear_later_start_with_their_cold_start_prior() -> None:
    whole = random_stream(seed=3, events=200)
    stream, replay_config = hold_out(whole, ReplayConfig(0.5), 0.25, seed=1)
    late, start = np.flatnonzero(stream.put_at), replay_config.start(stream)
    vectors = np.random.default_rng(1).standard_normal((len(stream.items), 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passed_over = dataclasses.replace(stream, put_at=np.zeros_like(stream.put_at))

    def scores(log: Stream, clock: Refresh | None) -> Vector:
        recommender = PenchantRecommender(Config("memory:", Path("none")), vectors, clock)
        recommender.fit(log, start)
        return recommender.scores(0, int(log.at_us[start]))

    assert (scores(stream, middle_clock()) > scores(passed_over, middle_clock()))[late].all()
    np.testing.assert_array_equal(scores(stream, None), scores(passed_over, None))
