"""The choice of the events to rank for."""

from __future__ import annotations

import pytest

from penchant.domain.errors import ConfigError
from penchant.evaluation.targets import ReplayConfig, choose_targets
from tests.unit.evaluation.streams import stream_of

PAIRS = [(0, 0), (1, 0), (0, 1), (0, 0), (1, 1), (1, 2), (0, 2)]
SIGNALS = ["like", "like", "dislike", "like", "like", "skip", "like"]


def test_targets_are_relevant_events_after_the_training_part() -> None:
    replay_config = ReplayConfig(train_fraction=0.3, candidates="unseen")
    targets = choose_targets(stream_of(PAIRS, 3, SIGNALS), replay_config)
    assert targets.positions.tolist() == [
        4,
        6,
    ]  # The event at 3 is about an item that the user has met.
    assert targets.earlier.tolist() == [1, 3]
    assert targets.item_age.tolist() == [1, 1]
    assert targets.seen == 1


def test_with_all_candidates_items_seen_before_count_too() -> None:
    replay_config = ReplayConfig(train_fraction=0.3, candidates="all")
    targets = choose_targets(stream_of(PAIRS, 3, SIGNALS), replay_config)
    assert targets.positions.tolist() == [3, 4, 6]
    assert targets.seen == 0


def test_all_items_are_ranked_where_many_hits_are_repeats_unless_it_was_asked_otherwise() -> None:
    again = [(user, item) for item in range(4) for user in range(4) for _ in range(2)]
    once = [(user, item) for item in range(8) for user in range(4)]
    assert choose_targets(stream_of(again, 4), ReplayConfig()).candidates == "all"
    assert choose_targets(stream_of(once, 8), ReplayConfig()).candidates == "unseen"
    asked = ReplayConfig(candidates="unseen")
    assert choose_targets(stream_of(again, 4), asked).candidates == "unseen"
    assert asked.resolved(stream_of(again, 4)) is asked


def test_one_in_every_few_is_ranked_for() -> None:
    stream = stream_of([(user, 0) for user in range(10)], 2)
    targets = choose_targets(stream, ReplayConfig(train_fraction=0.0, every=4))
    assert targets.positions.tolist() == [0, 4, 8]
    assert targets.item_age.tolist() == [0, 4, 8]


def test_nothing_to_rank_for_is_an_error_with_its_reason() -> None:
    with pytest.raises(ConfigError, match=r"3 are about items .* --candidates all"):
        choose_targets(stream_of([(0, 0)] * 4, 2), ReplayConfig(candidates="unseen"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"train_fraction": -0.1},
        {"train_fraction": 1.0},
        {"every": 0},
        {"refresh_every": -1},
        {"candidates": "new"},
    ],
)
def test_a_configuration_out_of_range_is_refused(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigError, match=f"^{name}: got"):
        ReplayConfig(**wrong)  # type: ignore[arg-type]
