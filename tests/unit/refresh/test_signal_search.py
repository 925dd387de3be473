"""Laws of the objective: each signal weighs what it tells about it, and no future is looked at."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config
from penchant.domain.settings import FoldSettings
from penchant.evaluation.metrics import ndcg
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.interactions import Interactions
from penchant.logs.stream import Stream, outcomes_before
from penchant.refresh.held_out import HeldOut
from penchant.refresh.item_vectors import fit_for_weights, learn_catalog
from penchant.refresh.learnt_weights import LearntWeights
from penchant.refresh.refresh_settings import RefreshSettings
from tests.support.signal_logs import CART, shop_rows, stream_of_rows, unit_rows

CONFIG = Config("memory:", Path("encoder"))
ITEMS = 160
PLAN = ReplayConfig(train_fraction=0.6, refresh_every=0, candidates="unseen")


def shop(*telling: str) -> Stream:
    return stream_of_rows(shop_rows(telling), ITEMS)


def learnt(stream: Stream, config: Config = CONFIG, until: int | None = None) -> LearntWeights:
    events = outcomes_before(stream, len(stream.events) if until is None else until)
    return learn_catalog(events, unit_rows(ITEMS), RefreshSettings(), config).learnt


def quality(stream: Stream, objective: str = "") -> float:
    """NDCG@10 of later purchases, after one refresh."""
    config = dataclasses.replace(CONFIG, objective=objective)
    clock = middle_clock(learn_for=config)
    recommender = PenchantRecommender(config, unit_rows(ITEMS), clock)
    ranks = replay(stream, recommender, choose_targets(stream, PLAN), PLAN).rank
    return float(ndcg(ranks, 10).mean())


def test_views_that_tell_nothing_leave_the_fold_and_carts_that_tell_stay() -> None:
    stream = shop(CART)
    weights = learnt(stream)
    assert weights.objective.signals == ("purchase",)
    assert weights.signals["view"] == 0
    assert weights.dropped == ("view",)
    assert weights.signals.get(CART, 1.0) >= 1
    assert "view not at all" in weights.sentence
    assert quality(stream) > 1.3 * quality(stream, "all")


def test_views_that_tell_stay_and_are_no_worse_than_without_an_objective() -> None:
    stream = shop("view")
    weights = learnt(stream)
    assert weights.signals.get("view", 1.0) >= 1
    assert "view" not in weights.dropped
    assert quality(stream) >= 0.97 * quality(stream, "all")


def test_an_objective_by_name_is_taken_and_all_is_as_before() -> None:
    stream = shop(CART)
    named = dataclasses.replace(CONFIG, objective="view")
    assert learnt(stream, named).objective.signals == ("view",)
    everything = learnt(stream, dataclasses.replace(CONFIG, objective="all"))
    assert not everything.objective.signals
    assert not everything.signals


def test_a_log_of_one_signal_gives_the_same_weights_as_without_signals() -> None:
    rows = [(user, item, "purchase") for user, item, _ in shop_rows((CART,), events=2000)]
    events = outcomes_before(stream_of_rows(rows, ITEMS), 2000)
    nameless = dataclasses.replace(events, signal=None, signals=())
    one, other = (
        learn_catalog(log, unit_rows(ITEMS), RefreshSettings(), CONFIG)
        for log in (events, nameless)
    )
    assert one.learnt == other.learnt
    assert one.vectors.tobytes() == other.vectors.tobytes()
    assert one.neighbours.tobytes() == other.neighbours.tobytes()


def test_factors_that_the_operator_set_are_not_learnt_over() -> None:
    fold = FoldSettings(signal_weights='{"view": 0.5}')
    given = dataclasses.replace(CONFIG, fold=fold, given=frozenset({"signal_weights"}))
    weights = learnt(shop(CART), given)
    assert weights.signals == {"view": 0.5}
    assert weights.signals_gain is None


def test_the_factors_do_not_know_the_future() -> None:
    stream, until = shop(CART), 4000
    later = [*shop_rows((CART,))[:until], *shop_rows(("view",), seed=5)[until:]]
    assert learnt(stream, until=until) == learnt(stream_of_rows(later, ITEMS), until=until)


def test_the_parts_of_a_ranking_under_factors_do_not_know_its_future() -> None:
    events, cut, position = outcomes_before(shop(CART), 6000), 3000, 4500
    fitted = fit_for_weights(events.taken(slice(0, cut)), unit_rows(ITEMS), RefreshSettings())
    settings = FoldSettings(signal_weights='{"view": 0.2}')
    assert events.signal is not None
    future = events.signal.copy()
    future[position:] = np.roll(future[position:], 7)
    ranked = np.arange(cut, position)[::50]
    one, other = (
        HeldOut(log, fitted, cut, settings, 14 * 86400.0, 50.0)
        for log in (events, dataclasses.replace(events, signal=future))
    )
    for (_, parts), (_, same) in zip(one.each(ranked), other.each(ranked), strict=True):
        for name, variants in parts.items():
            np.testing.assert_array_equal(variants, same[name])


def test_equal_logs_give_equal_factors_whatever_their_order() -> None:
    events = outcomes_before(shop(CART), 6000)
    order = np.random.default_rng(0).permutation(6000)
    assert found(events) == found(events.taken(order))


def found(events: Interactions) -> LearntWeights:
    return learn_catalog(events, unit_rows(ITEMS), RefreshSettings(), CONFIG).learnt


@pytest.mark.parametrize("count", [0, 40, 400])
def test_a_young_log_has_no_objective(count: int) -> None:
    assert not learnt(shop(CART), until=count).objective.signals
