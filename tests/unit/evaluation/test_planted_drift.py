"""A log with planted drift: the ranking follows users who change their taste.

Each user likes items of one kind, and from a known event on items of another kind alone.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from penchant.config import parse
from penchant.encoder.bag_of_words import BagOfWords
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream
from tests.unit.evaluation.streams import stream_of

KINDS, ITEMS_A_KIND, USERS = 6, 60, 24
BEFORE, AFTER = 40, 20
RECOVERED = 10
"""Events of the new kind after which the ranking must have followed."""

CONFIG = parse({"store": "memory:", "encoder": "/nowhere"})


def planted(seed: int) -> Stream:
    """A log in which users take turns; item i is of kind i mod KINDS."""
    random = np.random.default_rng(seed)
    pairs = []
    orders = [random.permutation(ITEMS_A_KIND) for _ in range(USERS)]
    for turn in range(BEFORE + AFTER):
        for user in range(USERS):
            kind = (user + (turn >= BEFORE)) % KINDS
            pairs.append((user, int(orders[user][turn]) * KINDS + kind))
    return stream_of(pairs, KINDS * ITEMS_A_KIND)


def share_of_the_wanted_kind(seed: int) -> NDArray[np.float64]:
    """Share of the wanted kind in the top ten before each turn, mean over users, shape (turns,)."""
    stream, replay_config = planted(seed), ReplayConfig(train_fraction=0.0)
    texts = [f"kind{number % KINDS}" for number in range(len(stream.items))]
    words = [f"{text} {text} {text} item{number}" for number, text in enumerate(texts)]
    penchant = PenchantRecommender(CONFIG, BagOfWords(dimensions=32).encode(words))
    targets = choose_targets(stream, replay_config)
    top = replay(stream, penchant, targets, replay_config).top
    wanted = stream.item[targets.positions] % KINDS
    shares = (top % KINDS == wanted[:, None]).mean(axis=1)
    return np.array(shares.reshape(BEFORE + AFTER, USERS).mean(axis=1))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_ranking_follows_a_change_of_taste_within_ten_events(seed: int) -> None:
    share = share_of_the_wanted_kind(seed)
    assert share[BEFORE - 1] > 0.9
    assert share[BEFORE] < 0.1  # The change can't be known yet.
    assert share[BEFORE + RECOVERED] > 0.9
