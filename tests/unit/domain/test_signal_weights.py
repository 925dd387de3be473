"""Factors of signals: exact in the fold, the neighbours, the repeats and the explanations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.event_weights import weigh
from penchant.domain.interest import Items, Prior, fold, fold_each, prior_precision, shares
from penchant.domain.neighbours import OPENING, RECENT_EVENTS
from penchant.domain.repeats import repeat_all, repeats_of
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import signal_code
from penchant.domain.types import NO_WAIT, WINDOW_DTYPE, Interest, Matrix, Window

ITEMS, DIMENSIONS, BUCKET = 12, 6, 2_700_000
SETTINGS = FoldSettings(repeat_weight=1.0, repeat_pause_s=0.0)
NAMES = ("view", "cart", "purchase")


def with_factors(text: str) -> FoldSettings:
    return dataclasses.replace(SETTINGS, signal_weights=text)


def vectors() -> Matrix:
    return np.random.default_rng(0).standard_normal((ITEMS, DIMENSIONS)).astype(np.float32)


def window_of(events: int, seed: int = 1) -> Window:
    """Views, carts and purchases of any items, an hour apart."""
    rng = np.random.default_rng(seed)
    window = np.zeros(events, WINDOW_DTYPE)
    window["occurred_at_us"] = (BUCKET * 600 - 3600 * np.arange(events, 0, -1)) * 10**6
    window["event"] = np.arange(events)
    window["item"] = rng.integers(0, ITEMS, events)
    window["reward"] = rng.choice([-0.5, 0.3, 1.0], events)
    window["weight"] = rng.choice([1.0, 2.0], events)
    window["wait_s"] = NO_WAIT
    window["signal"] = [signal_code(NAMES[place]) for place in rng.integers(0, 3, events)]
    return window


def items_of(window: Window) -> Items:
    return Items(vectors()[window["item"]], np.ones(len(window), np.bool_))


def prior() -> Prior:
    rows = vectors().astype(np.float64)
    return Prior(prior_precision(rows.T @ rows / ITEMS, SETTINGS), np.zeros(DIMENSIONS))


def folded(window: Window, settings: FoldSettings) -> Interest:
    return fold(prior(), window, items_of(window), BUCKET, settings)


def test_a_signal_of_factor_0_is_as_if_its_events_had_not_been() -> None:
    window = window_of(60)
    without = window[window["signal"] != signal_code("view")]
    settings = with_factors('{"view": 0}')
    one, other = folded(window, settings), folded(without, SETTINGS)
    np.testing.assert_allclose(one.slow, other.slow, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(one.fast, other.fast, rtol=1e-6, atol=1e-7)
    assert one.recent["item"].tolist() == other.recent["item"].tolist()
    np.testing.assert_allclose(one.recent["weight"], other.recent["weight"], rtol=1e-6)
    repeats = repeat_all(repeats_of(window, BUCKET, settings), ITEMS)
    others = repeat_all(repeats_of(without, BUCKET, SETTINGS), ITEMS)
    np.testing.assert_allclose(repeats, others, rtol=1e-6)


def test_factors_of_1_and_of_signals_that_are_not_there_change_no_bit() -> None:
    window = window_of(60)
    plain = folded(window, SETTINGS)
    for text in ("", "{}", '{"rating": 0}', '{"view": 1, "cart": 1.0}'):
        same = folded(window, with_factors(text))
        assert (same.slow.tobytes(), same.fast.tobytes(), same.recent.tobytes()) == (
            plain.slow.tobytes(),
            plain.fast.tobytes(),
            plain.recent.tobytes(),
        )


def test_an_event_without_a_known_signal_counts_as_the_table_says() -> None:
    """Such as one of a record that an earlier release wrote."""
    window = window_of(30)
    window["signal"] = 0
    chosen = with_factors('{"view": 0, "cart": 4}')
    assert folded(window, chosen).slow.tobytes() == folded(window, SETTINGS).slow.tobytes()


def test_many_users_at_once_are_folded_as_each_alone_bit_for_bit() -> None:
    settings = with_factors('{"view": 0.2, "cart": 4, "purchase": 0.7}')
    windows = [window_of(length, seed) for seed, length in enumerate((3, 50, 1, 200))]
    together = np.concatenate(windows)
    lengths = np.array([len(window) for window in windows])
    found = fold_each(prior(), together, lengths, items_of(together), BUCKET, settings)
    for window, interest in zip(windows, found, strict=True):
        alone = folded(window, settings)
        assert interest.slow.tobytes() == alone.slow.tobytes()
        assert interest.fast.tobytes() == alone.fast.tobytes()
        assert interest.recent.tobytes() == alone.recent.tobytes()


def test_the_events_shares_sum_to_the_interest() -> None:
    window, settings = window_of(80), with_factors('{"view": 0.2, "cart": 4}')
    interest, ranked = folded(window, settings), vectors()[:4]
    found = shares(prior(), window, items_of(window), BUCKET, settings, ranked)
    slow, fast = ranked @ interest.slow, ranked @ interest.fast
    total = found.prior + found.slow.sum(axis=1)
    np.testing.assert_allclose(total, settings.slow_weight * slow, rtol=1e-4, atol=1e-5)
    total = found.fast.sum(axis=1)
    np.testing.assert_allclose(total, settings.fast_weight * fast, rtol=1e-4, atol=1e-5)


def test_the_recent_items_stay_as_few_however_little_their_events_age_each_other() -> None:
    window = window_of(250)
    window["reward"] = 1.0
    settings = with_factors('{"view": 0.01, "cart": 0.01}')
    known = np.ones(len(window), np.bool_)
    near = weigh(window, known, BUCKET, settings).near
    assert np.count_nonzero(near) == RECENT_EVENTS
    assert near[near > 0].min() >= 0.01 * 2.0 ** (-RECENT_EVENTS / settings.near_half_life_events)
    recent = folded(window, settings).recent
    assert len(recent[recent["item"] != OPENING]) == RECENT_EVENTS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("view=1", "expected a JSON object"),
        ("[1]", "expected a JSON object"),
        ('{"view": -1}', "view: got -1, expected a number from 0 to 1000"),
        ('{"view": true}', "view: got True"),
        ('{"view": NaN}', "view: got nan"),
        ('{"view": "2"}', "view: got '2'"),
    ],
)
def test_factors_that_are_none_are_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match="signal_weights: ") as caught:
        FoldSettings(signal_weights=text)
    assert said in str(caught.value)
