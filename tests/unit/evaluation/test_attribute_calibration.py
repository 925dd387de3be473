"""Calibration: the divergence of the mix shown from the mix liked, against figures by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.domain.types import Item
from penchant.evaluation.attribute_calibration import attribute_shares, divergence, miscalibration
from penchant.evaluation.targets import ReplayConfig, choose_targets
from tests.unit.evaluation.streams import stream_of

SHARES = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [0.0, 0.0]])


def test_the_values_of_an_item_have_equal_shares_with_any_separator() -> None:
    texts = ["Crime, Drama", "Drama|War", "War;Crime ; Drama", ""]
    items = [Item(str(number), "x", {"genres": text}) for number, text in enumerate(texts)]
    shares = attribute_shares(items, "genres")
    third = pytest.approx(1 / 3)
    assert shares.tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5], [third, third, third], [0, 0, 0]]


def test_an_attribute_that_no_item_has_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"got 'genre', which no item has; .* of: genres, year"):
        attribute_shares([Item("1", "x", {"genres": "War", "year": "1990"})], "genre")


def test_only_likes_before_the_ranking_count() -> None:
    stream = stream_of([(0, 0), (0, 1), (0, 2), (0, 1)], 4, ["like", "skip", "like", "like"])
    targets = choose_targets(stream, ReplayConfig(train_fraction=0.5, candidates="all"))
    assert targets.positions.tolist() == [2, 3]
    top = np.array([[0, -1], [2, 3]], np.int32)
    # At position 2 item 0 is liked and shown. At 3 the mix liked is 3/4 and 1/4, the mix shown 1/2.
    half = 0.99 / 2
    second = 0.75 * math.log2(0.75 / (half + 0.0075)) + 0.25 * math.log2(0.25 / (half + 0.0025))
    assert miscalibration(stream, targets, top, SHARES) == pytest.approx(second / 2)


def test_rankings_for_users_without_likes_do_not_count() -> None:
    stream = stream_of([(0, 0), (1, 1)], 4)
    targets = choose_targets(stream, ReplayConfig(train_fraction=0.5))
    assert math.isnan(miscalibration(stream, targets, np.array([[0]], np.int32), SHARES))


MIXES = st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(
    lambda values: np.array(values) / sum(values)
)


@given(MIXES, MIXES)
def test_the_divergence_is_0_for_equal_mixes_and_positive_for_others(
    wanted: np.ndarray[tuple[int], np.dtype[np.float64]],
    shown: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    assert divergence(wanted, wanted) == pytest.approx(0, abs=1e-12)
    assert divergence(wanted, shown) >= -1e-12
