"""Weights of items with few events: learnt where such items can be told, else not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from penchant.config import Config, with_score_weights
from penchant.domain.arrays import Int64
from penchant.domain.long_tail import FEW
from penchant.domain.types import Matrix
from penchant.logs.interactions import Interactions
from penchant.refresh.item_vectors import RefreshedCatalog, learn_catalog
from penchant.refresh.refresh_settings import RefreshSettings

CONFIG = Config("memory:", Path("encoder"))
GROUPS, USERS, EVENTS = 10, 100, 3000
KNOWN, ALL = 100, 900
MINUTE_US = 60_000_000


def texts_of(groups: Int64) -> Matrix:
    """Vectors of texts that are alike within a group of items."""
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((GROUPS, 16))[groups] + 0.1 * rng.standard_normal((ALL, 16))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def drawn() -> Interactions:
    """Users like known items by popularity, most of their own group, and others of it now and then.

    An item's group is its number modulo `GROUPS`, a user's too.
    """
    rng = np.random.default_rng(3)
    places = KNOWN // GROUPS
    chances = 1 / np.arange(1, places + 1)
    user = rng.integers(0, USERS, EVENTS)
    known = rng.choice(places, EVENTS, p=chances / chances.sum())
    other = rng.integers(places, ALL // GROUPS, EVENTS)
    place = np.where(rng.random(EVENTS) < 0.2, other, known)
    own = (rng.random(EVENTS) < 0.6) | (place >= places)
    group = np.where(own, user % GROUPS, rng.integers(0, GROUPS, EVENTS))
    at_us = np.arange(EVENTS) * MINUTE_US
    return Interactions(user, place * GROUPS + group, np.ones(EVENTS), at_us)


def learnt(events: Interactions, texts: Matrix, config: Config = CONFIG) -> RefreshedCatalog:
    return learn_catalog(events, texts, RefreshSettings(), config)


def test_where_texts_tell_who_likes_new_items_they_get_a_weight_of_their_own() -> None:
    fresh = learnt(drawn(), texts_of(np.arange(ALL) % GROUPS))
    weights = fresh.learnt
    assert weights.tail is not None
    before, after = weights.tail
    assert after > before
    assert weights.settings["tail_lift"] + weights.settings["tail_offset_weight"] > 0
    assert f"Items with fewer than {FEW} events" in weights.sentence
    assert fresh.tail[ALL - 1] > 0.9
    assert fresh.tail[0] < 0.01


def test_few_likes_of_such_items_are_not_learnt_from() -> None:
    events = drawn()
    known = np.flatnonzero(events.item < KNOWN)
    weights = learnt(events.taken(known), texts_of(np.arange(ALL) % GROUPS)).learnt
    assert weights.tail is None
    assert "tail_lift" not in weights.settings
    assert not weights.weighs_tail


def test_weights_that_the_operator_set_are_not_searched_for() -> None:
    fixed = with_score_weights(CONFIG, '{"tail_offset_weight": 0.0, "tail_lift": 0.0}')
    assert learnt(drawn(), texts_of(np.arange(ALL) % GROUPS), fixed).learnt.tail is None
