"""The prequential loop ranks, then learns, in time order, and never looks ahead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.config import parse
from penchant.domain.errors import ConfigError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import ReplayResult, mean_rank, replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream
from tests.unit.evaluation.streams import (
    Cheat,
    Counts,
    Fixed,
    random_stream,
    stream_of,
    with_other_item,
)

CONFIG = parse({"store": "memory:", "encoder": "/nowhere"})


def penchant(stream: Stream) -> Recommender:
    vectors = BagOfWords(dimensions=16).encode([item.text for item in stream.items])
    return PenchantRecommender(CONFIG, vectors)


def counts(stream: Stream) -> Recommender:
    return Counts()


def cheat(stream: Stream) -> Recommender:
    return Cheat()


def run(
    stream: Stream, recommender: Recommender, replay_config: ReplayConfig | None = None
) -> ReplayResult:
    replay_config = replay_config or ReplayConfig()
    return replay(stream, recommender, choose_targets(stream, replay_config), replay_config)


def ranks_before(
    stream: Stream,
    make: Callable[[Stream], Recommender],
    position: int,
    replay_config: ReplayConfig,
) -> list[float]:
    targets = choose_targets(stream, replay_config)
    result = replay(stream, make(stream), targets, replay_config)
    ranks: list[float] = result.rank[targets.positions < position].tolist()
    return ranks


@pytest.mark.parametrize("make", [penchant, counts])
@pytest.mark.parametrize("position", [60, 90, 119])
def test_a_later_event_changes_no_earlier_rank(
    make: Callable[[Stream], Recommender], position: int
) -> None:
    replay_config = ReplayConfig(refresh_every=20, candidates="all")
    stream = random_stream(seed=position, events=120)
    other = with_other_item(stream, position, (int(stream.item[position]) + 1) % 40)
    before = ranks_before(stream, make, position, replay_config)
    assert len(before) >= 5
    assert before == ranks_before(other, make, position, replay_config)


def test_a_recommender_that_looks_ahead_is_found_out() -> None:
    replay_config, stream = ReplayConfig(candidates="all"), random_stream(seed=1, events=120)
    other = with_other_item(stream, 119, (int(stream.item[119]) + 1) % 40)
    assert ranks_before(stream, cheat, 119, replay_config) != ranks_before(
        other, cheat, 119, replay_config
    )


def test_each_event_is_ranked_for_and_then_learnt() -> None:
    stream = stream_of([(0, 0), (1, 1), (0, 2), (1, 0)], items=4)
    recommender = Counts()
    run(stream, recommender, ReplayConfig(train_fraction=0.5))
    assert recommender.calls == [
        ("fit", 2), ("scores", 0), ("learn", 2), ("scores", 1), ("learn", 3)
    ]  # fmt: skip


def test_recommenders_refit_on_schedule_before_the_ranking() -> None:
    stream = stream_of([(user, user) for user in range(10)], items=10)
    recommender = Counts()
    result = run(stream, recommender, ReplayConfig(train_fraction=0.3, refresh_every=3))
    assert [until for until, _ in result.fit_s] == [3, 6, 9]
    at = recommender.calls.index(("fit", 6))
    assert recommender.calls[at - 1 : at + 2] == [("learn", 5), ("fit", 6), ("scores", 6)]


@pytest.mark.parametrize(
    "replay_config",
    [ReplayConfig(refresh_every=0), ReplayConfig(refresh_every=3), ReplayConfig(every=2)],
)
def test_every_event_is_learnt_once_with_any_configuration(replay_config: ReplayConfig) -> None:
    stream = stream_of([(user % 3, user) for user in range(10)], items=10)
    recommender = Counts()
    run(stream, recommender, replay_config)
    assert [at for call, at in recommender.calls if call == "learn"] == list(range(3, 10))


def test_ties_share_their_mean_rank() -> None:
    stream = stream_of([(0, 0), (1, 3)], items=5)
    result = run(stream, Fixed([1, 0, 0, 0, 0]), ReplayConfig(train_fraction=0.5))
    assert result.rank.tolist() == [3.5]


def test_items_that_the_user_has_met_are_no_candidates() -> None:
    stream = stream_of([(0, 4), (1, 1), (0, 3)], items=5)
    scores = [0, 1, 2, 3, 4]
    replay_config = ReplayConfig(train_fraction=0.7)
    result = run(stream, Fixed(scores), replay_config)
    assert result.rank.tolist() == [1.0]
    assert result.top[0].tolist() == [3, 2, 1, 0, *[-1] * 6]
    everything = run(stream, Fixed(scores), ReplayConfig(train_fraction=0.7, candidates="all"))
    assert everything.rank.tolist() == [2.0]


@given(st.lists(st.integers(0, 3), min_size=2, max_size=12), st.data())
def test_the_mean_rank_is_the_mean_over_all_orders_of_the_ties(
    values: list[int], data: st.DataObject
) -> None:
    item = data.draw(st.integers(0, len(values) - 1))
    others = [place for place in range(len(values)) if place != item]
    hidden = data.draw(st.sets(st.sampled_from(others)))
    scores = np.array(values, np.float32)
    shown = [values[place] for place in others if place not in hidden]
    above = sum(value > values[item] for value in shown)
    level = sum(value == values[item] for value in shown)
    expected = np.mean([above + 1 + place for place in range(level + 1)])
    rows = np.array(sorted(hidden), np.int64)
    assert mean_rank(scores, item, rows) == pytest.approx(expected)


def test_scores_that_are_not_numbers_are_refused() -> None:
    stream = stream_of([(0, 0), (1, 1)], items=2)
    replay_config = ReplayConfig(train_fraction=0.5)
    with pytest.raises(ConfigError, match="fixed: got a score that is not a number"):
        run(stream, Fixed([0, np.nan]), replay_config)
    with pytest.raises(ConfigError, match=r"fixed: got scores of shape \(3,\), expected 2"):
        run(stream, Fixed([0, 1, 2]), replay_config)
