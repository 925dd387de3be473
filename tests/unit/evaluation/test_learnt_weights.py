"""With nothing set, Penchant holds its own against the method that a log was made for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penchant.config import Config, with_offset_half_life
from penchant.domain.types import Matrix
from penchant.evaluation.baselines import make
from penchant.evaluation.metrics import ndcg
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from tests.support.news_log import news
from tests.unit.evaluation.streams import stream_of

CONFIG = Config("memory:", Path("encoder"))
USERS, ITEMS, EVENTS = 80, 120, 3000
Pairs = list[tuple[int, int]]


def unit_rows() -> Matrix:
    rows = np.random.default_rng(0).standard_normal((ITEMS, 8))
    unit: Matrix = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def popular() -> Pairs:
    """All users draw from the same popular items."""
    rng = np.random.default_rng(1)
    chances = 1 / np.arange(1, ITEMS + 1)
    items = rng.choice(ITEMS, EVENTS, p=chances / chances.sum())
    return [(int(rng.integers(USERS)), int(item)) for item in items]


def repeated() -> Pairs:
    """Each user has ten items of their own, chosen again and again."""
    rng = np.random.default_rng(2)
    own = [rng.choice(ITEMS, 10, replace=False) for _ in range(USERS)]
    users = rng.integers(0, USERS, EVENTS)
    return [
        (int(user), int(rng.choice(own[user]) if rng.random() < 0.8 else rng.integers(ITEMS)))
        for user in users
    ]


@pytest.mark.parametrize(
    ("pairs", "candidates", "peer"),
    [
        (popular(), "unseen", "popularity"),
        (popular(), "unseen", "decayed-popularity"),
        (repeated(), "all", "personal-frequency"),
    ],
)
def test_the_score_is_not_below_the_simple_method_that_is_the_truth(
    pairs: Pairs, candidates: str, peer: str
) -> None:
    stream = stream_of(pairs, ITEMS)
    config = ReplayConfig(train_fraction=0.5, every=2, refresh_every=750, candidates=candidates)
    targets = choose_targets(stream, config)

    def quality(recommender: Recommender) -> float:
        return float(ndcg(replay(stream, recommender, targets, config).rank, 10).mean())

    learnt = PenchantRecommender(CONFIG, unit_rows(), middle_clock(learn_for=CONFIG))
    assert quality(learnt) > 0.95 * quality(make(peer, seed=1))


def test_where_only_the_news_counts_popularity_fades_as_fast() -> None:
    stream = stream_of(news(EVENTS), ITEMS)
    config = ReplayConfig(train_fraction=0.5, every=2)
    targets = choose_targets(stream, config)

    def quality(recommender: Recommender) -> float:
        return float(ndcg(replay(stream, recommender, targets, config).rank, 10).mean())

    learnt = PenchantRecommender(CONFIG, unit_rows(), middle_clock(learn_for=CONFIG))
    ours, decayed = quality(learnt), quality(make("decayed-popularity", seed=1))
    assert ours > 1.5 * decayed
    fixed = with_offset_half_life(CONFIG, CONFIG.offset_half_life_s)
    kept = PenchantRecommender(fixed, unit_rows(), middle_clock(learn_for=fixed))
    assert ours > 1.2 * quality(kept)


FIRST, AFTER = 6, 14


def beginning_alike() -> Pairs:
    """Users begin with what is popular, which says nothing of their tastes, and then follow them.

    New ones keep coming, so that every part of the log has users with few events.
    """
    rng = np.random.default_rng(3)
    chances = 1 / np.arange(1, ITEMS + 1)
    popular = rng.permutation(ITEMS)
    pairs: list[tuple[float, int, int]] = []
    for user in range(260):
        begun = popular[rng.choice(ITEMS, FIRST, replace=False, p=chances / chances.sum())]
        own = (user % 12) * 10 + rng.permutation(10)
        items = [*begun.tolist(), *rng.choice(own, AFTER).tolist()]
        pairs += [(user + 2.0 * place, user, int(item)) for place, item in enumerate(items)]
    return [(user, item) for _, user, item in sorted(pairs)]


def test_no_band_of_history_is_below_popularity_where_first_events_say_nothing() -> None:
    stream = stream_of(beginning_alike(), ITEMS)
    config = ReplayConfig(train_fraction=0.5, every=1, refresh_every=900)
    targets = choose_targets(stream, config)
    bands = np.searchsorted([1, FIRST], targets.earlier, side="right")

    def quality(recommender: Recommender) -> list[float]:
        gains = ndcg(replay(stream, recommender, targets, config).rank, 10)
        return [float(gains[bands == band].mean()) for band in range(3)]

    learnt = PenchantRecommender(CONFIG, unit_rows(), middle_clock(learn_for=CONFIG))
    ours, popular = quality(learnt), quality(make("popularity", seed=1))
    assert all(mine > 0.9 * other for mine, other in zip(ours, popular, strict=True))
    assert ours[2] > 2 * popular[2]
