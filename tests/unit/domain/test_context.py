"""Contexts: events in a similar context count more, and nothing else changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.context import Slots, as_slots, context_digest, kernel, nowhere, slots_of
from penchant.domain.interest import fold, fold_each, shares
from penchant.domain.types import Context, Interest, Window
from tests.support.folds import SETTINGS, FoldEvent, catalog, items_of, prior, window_of

LISTENING = dataclasses.replace(SETTINGS, context_halvings=3.0)
BUCKET = 200

words = st.sampled_from(["morning", "night", "kitchen", "bedroom"])
contexts = st.dictionaries(
    st.sampled_from(["device", "part_of_day", "room"]), words, max_size=3
).map(lambda entries: tuple(sorted(entries.items())))


@st.composite
def windows(draw: st.DrawFn) -> Window:
    events = [
        FoldEvent(
            f"e{number}",
            draw(st.integers(0, 5)),
            draw(st.integers(0, 1900)),
            draw(st.floats(-1, 1, width=32)),
            1.0,
            context=draw(contexts),
        )
        for number in range(draw(st.integers(1, 8)))
    ]
    return window_of(events)


def slots(context: Context) -> Slots:
    return as_slots(context)


def interest(window: Window, context: Context, settings: object = LISTENING) -> Interest:
    assert isinstance(settings, type(LISTENING))
    return fold(prior(), window, items_of(window), BUCKET, settings, slots(context))


def same(one: Interest, two: Interest) -> bool:
    return (
        np.allclose(one.slow, two.slow, atol=1e-6)
        and np.allclose(one.fast, two.fast, atol=1e-6)
        and one.recent["item"].tolist() == two.recent["item"].tolist()
    )


@pytest.mark.parametrize(
    ("event", "now", "expected"),
    [
        ({}, {"room": "kitchen"}, 1.0),
        ({"room": "kitchen"}, {}, 1.0),
        ({"device": "tv"}, {"room": "kitchen"}, 1.0),
        ({"room": "kitchen"}, {"room": "kitchen"}, 1.0),
        ({"room": "bedroom"}, {"room": "kitchen"}, 2**-3),
        (
            {"room": "kitchen", "part_of_day": "night"},
            {"room": "kitchen", "part_of_day": "morning"},
            2**-1.5,
        ),
        ({"room": "kitchen", "device": "tv"}, {"room": "kitchen", "part_of_day": "night"}, 1.0),
    ],
)
def test_an_event_counts_by_the_keys_that_differ(
    event: dict[str, str], now: dict[str, str], expected: float
) -> None:
    there, here = slots(tuple(sorted(event.items()))), slots(tuple(sorted(now.items())))
    found = kernel(there[None], here, LISTENING)
    assert (1.0 if found is None else float(found[0])) == pytest.approx(expected)


def test_only_the_first_five_entries_weigh() -> None:
    many = tuple((f"key{number}", "value") for number in range(8))
    assert slots_of(many) == slots_of(many[:5])
    assert len(set(slots_of(many))) == 5


@given(window=windows(), context=contexts)
def test_a_fold_that_does_not_listen_is_the_same_in_every_context(
    window: Window, context: Context
) -> None:
    assert same(interest(window, context, SETTINGS), interest(window, (), SETTINGS))
    assert context_digest(slots(context), SETTINGS) == 0


@given(window=windows())
def test_without_a_context_every_event_counts_fully(window: Window) -> None:
    assert same(interest(window, ()), interest(window, (), SETTINGS))


@given(window=windows(), context=contexts)
def test_an_event_far_from_the_context_hardly_counts_where_the_kernel_is_narrow(
    window: Window, context: Context
) -> None:
    narrow = dataclasses.replace(SETTINGS, context_halvings=200.0)
    weights = kernel(window["context"], slots(context), narrow)
    if weights is None:
        return
    # Rewards of events that do not count are arbitrary.
    other = window.copy()
    other["reward"][weights < 1e-12] = 0.5
    here = slots(context)
    one, two = (
        fold(prior(), each, items_of(each), BUCKET, narrow, here) for each in (window, other)
    )
    assert np.allclose(one.slow, two.slow, atol=1e-5)


@given(one=windows(), two=windows(), here=contexts, there=contexts)
def test_folding_many_users_each_in_a_context_equals_folding_each(
    one: Window, two: Window, here: Context, there: Context
) -> None:
    both = np.concatenate([one, two])
    lengths = np.array([len(one), len(two)])
    places = np.stack([slots(here), slots(there)])
    together = fold_each(prior(), both, lengths, items_of(both), BUCKET, LISTENING, places)
    alone = [interest(one, here), interest(two, there)]
    for left, right in zip(together, alone, strict=True):
        np.testing.assert_array_equal(left.slow, right.slow)
        np.testing.assert_array_equal(left.fast, right.fast)
        np.testing.assert_array_equal(left.recent, right.recent)


@given(window=windows(), context=contexts)
def test_shares_in_a_context_sum_to_the_interests_score(window: Window, context: Context) -> None:
    found = interest(window, context)
    ranked = catalog()
    here = slots(context)
    split = shares(prior(), window, items_of(window), BUCKET, LISTENING, ranked, here)
    slow = LISTENING.slow_weight * (ranked @ found.slow)
    fast = LISTENING.fast_weight * (ranked @ found.fast)
    np.testing.assert_allclose(split.prior + split.slow.sum(axis=1), slow, atol=1e-4)
    np.testing.assert_allclose(split.fast.sum(axis=1), fast, atol=1e-4)


def test_a_context_has_a_name_of_its_own() -> None:
    kitchen, bedroom = slots((("room", "kitchen"),)), slots((("room", "bedroom"),))
    names = {context_digest(where, LISTENING) for where in (kitchen, bedroom, nowhere())}
    assert len(names) == 3
    assert context_digest(nowhere(), LISTENING) == 0
