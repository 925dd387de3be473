"""Watching the interest of a few users changes nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from penchant.config import parse
from penchant.encoder.bag_of_words import BagOfWords
from penchant.evaluation.interest_drift import InterestWatch, busiest
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream
from tests.unit.evaluation.streams import random_stream, stream_of

CONFIG = parse({"store": "memory:", "encoder": "/nowhere"})
REPLAY_CONFIG = ReplayConfig(candidates="all")


def penchant(stream: Stream) -> PenchantRecommender:
    vectors = BagOfWords(dimensions=16).encode([item.text for item in stream.items])
    return PenchantRecommender(CONFIG, vectors)


def test_watching_changes_no_rank() -> None:
    stream = random_stream(seed=2, events=200)
    targets = choose_targets(stream, REPLAY_CONFIG)
    alone = replay(stream, penchant(stream), targets, REPLAY_CONFIG)
    watch = InterestWatch(penchant(stream), [0, 1])
    watched = replay(stream, watch, targets, REPLAY_CONFIG)
    assert watched.name == alone.name
    assert watched.rank.tolist() == alone.rank.tolist()


def test_each_ranking_for_a_watched_user_is_a_point_and_the_last_is_1() -> None:
    stream = random_stream(seed=2, events=200)
    targets = choose_targets(stream, REPLAY_CONFIG)
    users = busiest(stream, targets, count=2)
    watch = InterestWatch(penchant(stream), users)
    replay(stream, watch, targets, REPLAY_CONFIG)
    drifts = watch.drifts(stream)
    assert [drift.user for drift in drifts] == [stream.users[user] for user in users]
    for user, drift in zip(users, drifts, strict=True):
        of_user = targets.positions[stream.user[targets.positions] == user]
        assert drift.at_us.tolist() == stream.at_us[of_user].tolist()
        assert drift.to_last[-1] == pytest.approx(1.0)
        assert (np.abs(drift.to_last) <= 1 + 1e-9).all()


def test_the_interest_of_a_cold_user_has_cosine_0() -> None:
    stream = stream_of([(0, 0), (1, 1)], items=3)
    watch = InterestWatch(penchant(stream), [1])
    replay(
        stream,
        watch,
        choose_targets(stream, ReplayConfig(train_fraction=0.5)),
        ReplayConfig(train_fraction=0.5),
    )
    (drift,) = watch.drifts(stream)
    assert drift.to_last.tolist() == [0.0]
