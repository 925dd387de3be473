"""Simulated readers and visits have the stated tastes, probabilities and times."""

from __future__ import annotations

import numpy as np
import pytest

from demos.ads.ads_simulation import (
    DAY_S,
    Readers,
    campaign_text,
    simulated_readers,
    visits,
)
from penchant.domain.errors import ConfigError


def test_each_reader_likes_one_topic_best_and_the_same_seed_gives_the_same_readers() -> None:
    readers, again = simulated_readers(200, seed=3), simulated_readers(200, seed=3)
    assert (readers.attraction == again.attraction).all()
    best = np.sort(readers.attraction[:, ::2], axis=1)[:, ::-1]
    assert (best[:, 0] > 1.5 * best[:, 2]).all()
    assert len({campaign_text(campaign) for campaign in readers.campaigns}) == 12


def test_a_place_scales_the_attraction_by_its_examination() -> None:
    readers = Readers(("ann",), ("tents",), np.array([[0.4]]), examination=(1.0, 0.5))
    chances = [readers.click_probability("ann", "tents", place) for place in (1, 2, 9)]
    assert chances == [0.4, 0.2, 0.2]
    with pytest.raises(
        ConfigError, match=r"attraction: got the shape \(1, 1\), expected 2 users by 1"
    ):
        Readers(("ann", "bob"), ("tents",), np.array([[0.4]]))


def test_visits_come_in_time_order_within_the_day_and_more_of_them_in_the_evening() -> None:
    came = list(visits(("ann", "bob", "cid"), 5000, seed=2))
    times = [visit.at_s for visit in came]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] < DAY_S
    evening = sum(19 * 3600 <= at_s < 21 * 3600 for at_s in times)
    night = sum(2 * 3600 <= at_s < 4 * 3600 for at_s in times)
    assert 2 < evening / night < 5
