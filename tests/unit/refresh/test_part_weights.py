"""Laws of the learnt weights: each made-up truth is found, and no future is looked at."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config, with_score_weights
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Matrix
from penchant.logs.interactions import Interactions
from penchant.refresh.direct_search import DirectSearch, Part, Rankings
from penchant.refresh.held_out import (
    FAST,
    ITEM_WEIGHTS,
    NEAR,
    OFFSET,
    SLOW,
    TRANSITIONS,
    HeldOut,
    UpperEnds,
)
from penchant.refresh.item_vectors import RefreshedCatalog, fit_for_weights, learn_catalog
from penchant.refresh.learnt_weights import LearntWeights
from penchant.refresh.part_weights import find_weighting, search_parts
from penchant.refresh.refresh_settings import RefreshSettings

CONFIG = Config("memory:", Path("encoder"))
USERS, ITEMS, EVENTS = 120, 200, 4000
MINUTE_US = 60_000_000


def unit_rows(items: int = ITEMS, dimensions: int = 8, seed: int = 0) -> Matrix:
    rows = np.random.default_rng(seed).standard_normal((items, dimensions))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def log_of(user: np.ndarray, item: np.ndarray, minutes: int = 1) -> Interactions:  # type: ignore[type-arg]  # Whole numbers.
    count = len(user)
    return Interactions(user, item, np.ones(count), np.arange(count) * minutes * MINUTE_US)


def learnt(events: Interactions, texts: Matrix | None = None) -> RefreshedCatalog:
    rows = unit_rows() if texts is None else texts
    return learn_catalog(events, rows, RefreshSettings(), CONFIG)


def popular(seed: int = 0) -> Interactions:
    """All users draw from the same few popular items."""
    rng = np.random.default_rng(seed)
    chances = 1 / np.arange(1, ITEMS + 1)
    items = rng.choice(ITEMS, EVENTS, p=chances / chances.sum())
    return log_of(rng.integers(0, USERS, EVENTS), items)


def test_where_popularity_is_the_truth_it_is_found_and_half_of_the_parts_are_not() -> None:
    """What regressions say of items is about their popularity too, where users are alike."""
    weights = learnt(popular()).learnt
    assert set(weights.without) <= {"offset", "popularity", "item weights", "transitions"}
    assert weights.settings["slow_weight"] == weights.settings["fast_weight"] == 0
    assert weights.near == 0


def test_where_tastes_drift_together_the_live_popularity_counts() -> None:
    """What is liked moves through the catalog within days."""
    rng = np.random.default_rng(1)
    centre = np.arange(EVENTS) / EVENTS * ITEMS
    items = (centre + rng.normal(0, 4, EVENTS)).astype(np.int64) % ITEMS
    shuffled = rng.permutation(ITEMS)[items]
    weights = learnt(log_of(rng.integers(0, USERS, EVENTS), shuffled, minutes=60)).learnt
    assert max(weights.without, key=lambda name: -weights.without[name]) == "offset"
    assert weights.without["offset"] < weights.ndcg / 2


def test_where_one_item_leads_to_the_next_the_neighbours_count() -> None:
    rng = np.random.default_rng(2)
    successor = rng.permutation(ITEMS)
    user, item = rng.integers(0, USERS, EVENTS), np.empty(EVENTS, np.int64)
    last: dict[int, int] = {}
    for place, number in enumerate(user.tolist()):
        follows = number in last and rng.random() < 0.7
        item[place] = successor[last[number]] if follows else rng.integers(ITEMS)
        last[number] = item[place]
    weights = learnt(log_of(user, item)).learnt
    assert weights.settings["near_weight"] * (weights.transitions + weights.successors) > 0
    assert weights.ndcg > 0.25


def test_where_rare_items_lead_to_one_another_the_last_like_alone_decides() -> None:
    """Albums of ten tracks, heard in order; most of them were heard by one or two before."""
    rng, albums, tracks = np.random.default_rng(9), 120, 10
    chances = 1 / np.arange(1, 1 + albums) ** 0.8
    user, item = np.repeat(np.arange(EVENTS // 20), 20), np.empty(EVENTS, np.int64)
    for place in range(EVENTS):
        goes_on = place % 20 and (item[place - 1] + 1) % tracks and rng.random() < 0.8
        started = tracks * rng.choice(albums, p=chances / chances.sum()) + rng.integers(3)
        item[place] = item[place - 1] + 1 if goes_on else started
    events = log_of(user, rng.permutation(albums * tracks)[item])
    weights = learnt(events, unit_rows(albums * tracks)).learnt
    assert weights.successors > 0
    assert weights.settings["near_half_life_events"] < 1


def test_the_order_of_likes_says_more_than_their_neighbourhood() -> None:
    """Everybody goes around the catalog: what comes next is known, not only what is near."""
    rng = np.random.default_rng(2)
    user = rng.integers(0, USERS, EVENTS)
    place = rng.integers(0, ITEMS, USERS)
    item = np.empty(EVENTS, np.int64)
    for position, number in enumerate(user.tolist()):
        place[number] = (place[number] + 1 + rng.integers(3)) % ITEMS
        item[position] = place[number]
    weights = learnt(log_of(user, rng.permutation(ITEMS)[item])).learnt
    losses = {name: weights.ndcg - without for name, without in weights.without.items()}
    assert max(losses, key=lambda name: losses[name]) in {"transitions", "successors"}


@pytest.mark.parametrize("says", ["nothing", "much"])
def test_the_order_keeps_its_share_unless_the_log_is_certainly_better_without(says: str) -> None:
    rng, (count, rivals) = np.random.default_rng(3), (400, 60)
    near, order = rng.normal(0, 1, (2, count, rivals)).astype(np.float32)
    near[:, 0] += 1.5
    # Shares compare upper ends: an order whose values reach far drowns the others.
    order = order**5 if says == "nothing" else order
    order[:, 0] += 0.0 if says == "nothing" else 1.5
    rankings = Rankings(
        (Part(NEAR, (near,) * 3), Part(TRANSITIONS, (order,) * 3)),
        np.zeros(count, np.int64),
        np.ones((count, rivals), np.bool_),
        np.ones(count),
    )
    _, point = search_parts(rankings, {NEAR: (1.0,), TRANSITIONS: (1.0,)})
    kept, share = bool(point.weights[1]), point.weights[1] / point.weights.sum()
    assert (kept, share > 0.2) == ((False, False) if says == "nothing" else (True, True))


def of_one_taste(rng: np.random.Generator) -> Rankings:
    """A weak taste is all that tells which item is chosen; other parts say less than nothing.

    A prior that gives those most of the weight is in the way.
    """
    taste, *others = rng.normal(0, 1, (6, 800, 60)).astype(np.float32)
    taste[:, 0] += 0.4
    for values in others:
        values[:, 0] -= 0.2
    named = zip(
        (SLOW, OFFSET, FAST, NEAR, ITEM_WEIGHTS, TRANSITIONS), (taste, *others), strict=True
    )
    return Rankings(
        tuple(Part(name, (values,) * 3) for name, values in named),
        np.zeros(800, np.int64),
        np.ones((800, 60), np.bool_),
        np.ones(800),
    )


def test_a_log_that_is_far_from_the_prior_is_believed_as_far_as_unseen_rankings_agree() -> None:
    before, after = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        seen, unseen = of_one_taste(rng), of_one_taste(rng)
        ends: UpperEnds = {part.name: (1.0,) * 3 for part in seen.parts}
        judge = DirectSearch(unseen, find_weighting(seen, ends)[1])
        before.append(judge.ndcg(search_parts(seen, ends)[1]))
        after.append(judge.ndcg(judge.prior))
    assert min(np.subtract(after, before)) > -0.003
    assert sum(after) > 1.05 * sum(before)


@pytest.mark.parametrize("seed", range(5))
def test_rankings_that_only_chance_tells_apart_do_not_move_the_weights_boldly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, rivals = 400, 60
    values = rng.normal(0, 1, (5, count, rivals)).astype(np.float32)
    values[:, :, 0] += 1.0
    names = (OFFSET, SLOW, FAST, NEAR, ITEM_WEIGHTS)
    rankings = Rankings(
        tuple(Part(name, (of_part,) * 3) for name, of_part in zip(names, values, strict=True)),
        np.zeros(count, np.int64),
        np.ones((count, rivals), np.bool_),
        np.ones(count),
    )
    ends: UpperEnds = dict.fromkeys(names, (1.0,) * 3)
    _, cautious = search_parts(rankings, ends)
    _, found = find_weighting(rankings, ends)
    assert found.weights.tolist() == cautious.weights.tolist()


def test_where_only_the_texts_count_the_interest_in_them_does() -> None:
    """Every item is liked once at most, so that nothing but its text says whom it suits."""
    rng = np.random.default_rng(3)
    topics, items = unit_rows(8, 16), 2000  # Their square is what is solved for.
    of_item = rng.integers(0, 8, items)
    noise = 0.2 * unit_rows(items, 16, seed=4)
    texts = topics[of_item] + noise
    texts = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    taste = rng.integers(0, 8, USERS)
    item = rng.permutation(items)
    fans = [np.flatnonzero(taste == topic) for topic in range(8)]
    user = np.array([rng.choice(fans[of_item[number]]) for number in item])
    weights = learnt(log_of(user, item), texts).learnt
    personal = weights.settings["slow_weight"] + weights.settings["fast_weight"]
    assert personal > 0
    assert {"slow", "fast"} & set(weights.without)
    assert weights.settings["near_weight"] * weights.near < 6


def test_baskets_of_one_moment_teach_no_order() -> None:
    """Baskets are random, and their items share a time: nothing comes next."""
    rng = np.random.default_rng(8)
    user = np.repeat(rng.integers(0, USERS, EVENTS // 4), 4)
    item = np.concatenate([rng.choice(ITEMS, 4, replace=False) for _ in range(EVENTS // 4)])
    at_us = np.arange(EVENTS) // 4 * MINUTE_US
    weights = learnt(Interactions(user, item, np.ones(EVENTS), at_us)).learnt
    assert weights.ndcg < 0.05


def repeating(seed: int = 5) -> Interactions:
    """Each user has ten items of their own, chosen again and again."""
    rng = np.random.default_rng(seed)
    own = [rng.choice(ITEMS, 10, replace=False) for _ in range(USERS)]
    user = rng.integers(0, USERS, EVENTS)
    item = [
        rng.choice(own[number]) if rng.random() < 0.8 else rng.integers(ITEMS) for number in user
    ]
    return log_of(user, np.array(item), minutes=10)


def test_where_likes_are_repeated_repeats_count_most() -> None:
    weights = learnt(repeating()).learnt
    assert weights.settings["repeat_weight"] > 1
    assert weights.repeats is not None
    before, after = weights.repeats
    assert after > 1.05 * before
    assert "Repeats raise" in weights.sentence


def test_where_baskets_are_repeated_the_basket_counts() -> None:
    """Each user has six lists of four items, and buys one of them a day."""
    rng = np.random.default_rng(6)
    lists = [rng.choice(ITEMS, (6, 4), replace=False) for _ in range(USERS)]
    user = np.repeat(rng.integers(0, USERS, EVENTS // 4), 4)
    bought = [rng.permutation(lists[number][rng.integers(6)]) for number in user[::4]]
    at_us = np.arange(EVENTS) // 4 * 240 * MINUTE_US + np.arange(EVENTS) % 4 * MINUTE_US
    events = Interactions(user, np.concatenate(bought), np.ones(EVENTS), at_us)
    settings = learnt(events).learnt.settings
    assert settings["repeat_basket_weight"] > 0
    assert settings["repeat_pause_s"] > 0


def beginning_with_the_popular(seed: int = 7) -> Interactions:
    """Users begin with what is popular and go on with their own taste; new ones keep coming."""
    rng = np.random.default_rng(seed)
    chances = 1 / np.arange(1, ITEMS + 1)
    user = np.arange(EVENTS) // 4
    order = np.argsort(user * 4 + rng.integers(0, 400, EVENTS), kind="stable")
    items = rng.permutation(ITEMS)[rng.choice(ITEMS, EVENTS, p=chances / chances.sum())]
    wild = rng.random(EVENTS) < 0.5
    items[wild] = (user[wild] * 7 + rng.integers(0, 3, int(wild.sum()))) % ITEMS
    return log_of(user[order], items[order])


def test_strangers_see_what_users_begin_with_or_what_is_popular() -> None:
    """The first ten of the opening's row and the offset are mostly the ten most popular."""
    events = beginning_with_the_popular()
    fresh = learnt(events)
    popular_ten = np.argsort(-np.bincount(events.item, minlength=ITEMS))[:10]
    scores = fresh.popularity.copy() if len(fresh.popularity) else np.zeros(ITEMS, np.float32)
    if len(fresh.neighbours):
        weight = np.float32(fresh.learnt.settings["near_weight"])
        np.add.at(scores, fresh.neighbours[0]["item"], weight * fresh.neighbours[0]["strength"])
    counts = np.bincount(events.item, minlength=ITEMS).astype(np.float32)
    scores += np.float32(fresh.learnt.settings["offset_weight"]) * np.log1p(counts / 8)
    assert len(set(np.argsort(-scores)[:10].tolist()) & set(popular_ten.tolist())) >= 7


def test_strangers_see_what_is_liked_now_where_others_go_their_own_way() -> None:
    """A user begins with an item of the hour, and then goes around the catalog from there."""
    rng = np.random.default_rng(11)
    users, steps = 500, 12
    begin = np.sort(rng.integers(0, EVENTS, users))
    hour = begin * ITEMS // EVENTS
    at, user, item = [], [], []
    for number in range(users):
        first = int(hour[number] + rng.integers(3)) % ITEMS
        for step in range(steps):
            at.append(int(begin[number]) + step)
            user.append(number)
            item.append((first + 7 * step) % ITEMS)
    order = np.argsort(at, kind="stable")
    log = Interactions(
        np.array(user)[order],
        rng.permutation(ITEMS)[np.array(item)[order]],
        np.ones(len(order)),
        np.array(at)[order] * 60 * MINUTE_US,
    )
    assert learnt(log).learnt.settings["opening_offset_weight"] > 0
    for setting in ("opening_offset_weight", "offset_weight"):
        fixed = with_score_weights(CONFIG, f'{{"{setting}": 0.0}}')
        weights = learn_catalog(log, unit_rows(), RefreshSettings(), fixed).learnt
        assert "opening_offset_weight" not in weights.settings
    fixed = with_score_weights(CONFIG, '{"opening_offset_weight": 2.0}')
    weights = learn_catalog(log, unit_rows(), RefreshSettings(), fixed).learnt
    assert weights.settings.get("opening_offset_weight", 2.0) == 2.0


def test_where_likes_are_never_repeated_repeats_have_no_weight() -> None:
    assert "repeat_weight" not in learnt(popular_without_repeats()).learnt.settings


def popular_without_repeats() -> Interactions:
    events = popular()
    pairs = events.user * ITEMS + events.item
    first = np.sort(np.unique(pairs, return_index=True)[1])
    return log_of(events.user[first], events.item[first])


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_young_log_keeps_the_servers_settings(count: int) -> None:
    events = popular()
    young = log_of(events.user[:count], events.item[:count])
    assert learnt(young).learnt == LearntWeights(rankings=0) or not learnt(young).learnt.settings


def test_the_parts_of_a_ranking_do_not_know_its_future() -> None:
    """Events from a position on are replaced by others; nothing before it changes."""
    events, cut, position = repeating(), EVENTS // 2, 3 * EVENTS // 4
    fitted = fit_for_weights(before(events, cut), unit_rows(), RefreshSettings())
    future = events.item.copy()
    future[position:] = np.roll(future[position:], 7)
    ranked = np.arange(cut, position)[::40]
    one, other = (
        HeldOut(log, fitted, cut, FoldSettings(), 14 * 86400.0, 50.0)
        for log in (events, dataclasses.replace(events, item=future))
    )
    for (_, parts), (_, same) in zip(one.each(ranked), other.each(ranked), strict=True):
        for name, variants in parts.items():
            np.testing.assert_array_equal(variants, same[name])
    last, settings = int(ranked[-1]), [FoldSettings(repeat_basket_weight=4.0)]
    np.testing.assert_array_equal(one.repeats(last, settings), other.repeats(last, settings))
    np.testing.assert_array_equal(one.earlier[:position], other.earlier[:position])


def before(events: Interactions, cut: int) -> Interactions:
    return Interactions(
        events.user[:cut], events.item[:cut], events.reward[:cut], events.at_us[:cut]
    )


def test_equal_logs_give_equal_weights_whatever_their_order() -> None:
    events = repeating()
    order = np.random.default_rng(0).permutation(EVENTS)
    other = Interactions(
        events.user[order], events.item[order], events.reward[order], events.at_us[order]
    )
    assert learnt(events).learnt == learnt(other).learnt
