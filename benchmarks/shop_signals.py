"""A made-up shop with views, carts and purchases: do learnt factors of signals pay?

    python -m benchmarks.shop_signals [--users 400] [--items 800] [--events 40000]

Nobody plants what a view or a cart is worth: people have tastes that drift, meet items by fashion,
by what resembles the last one and by taste, open what catches the eye, put what they like best into
the cart, and buy part of the carts later, or what they came for without a cart. Ranked for: later
purchases of items that their users have not met, and of any items. Compared with every positive
event counting alike (`--objective all`, the same refresh without the objective) and popularity.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.rewards import Signal, SignalTable
from penchant.domain.types import Event, Item, Matrix
from penchant.evaluation.baselines import make
from penchant.evaluation.metrics import ndcg, recall
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream

SIGNALS: SignalTable = {
    "view": Signal(reward=0.3),
    "cart": Signal(reward=0.8),
    "purchase": Signal(reward=1.0, weight=2.0, owned=True),
}
CONFIG = Config("memory:", Path("encoder"), signals=SIGNALS)


def made_up(users: int, items: int, events: int, curiosity: float, seed: int) -> list[Event]:
    """The log of the shop; with curiosity, people open more of what they do not want."""
    rng = np.random.default_rng(seed)
    kinds = rng.standard_normal((20, 12))
    item = kinds[rng.integers(0, 20, items)] + 0.6 * rng.standard_normal((items, 12))
    taste = kinds[rng.integers(0, 20, users)] + 0.5 * rng.standard_normal((users, 12))
    fame = rng.gumbel(size=items)
    carts: list[list[int]] = [[] for _ in range(users)]
    found: list[Event] = []
    now_s = 1_600_000_000.0

    def log(user: int, number: int, signal: str) -> None:
        at_us = int((now_s + len(found) % 60) * 1e6)
        found.append(Event(f"e{len(found)}", f"u{user}", f"i{number}", signal, None, at_us))

    while len(found) < events:
        now_s += rng.exponential(900.0)
        user = int(rng.integers(users))
        taste[user] += 0.15 * rng.standard_normal(12)
        if rng.random() < 0.01:
            taste[user] = kinds[rng.integers(20)] + 0.5 * rng.standard_normal(12)
        fame += 0.02 * rng.standard_normal(items)
        likes = item @ taste[user] / 3.5
        at = int(rng.integers(items))
        for _ in range(int(rng.geometric(0.2))):
            near = item @ item[at] / 6.0
            pull = (1 - curiosity) * likes + curiosity * near + 0.7 * fame
            at = int((pull + rng.gumbel(size=items)).argmax())
            log(user, at, "view")
            if likes[at] + 0.5 * rng.gumbel() > 2.2:
                log(user, at, "cart")
                carts[user].append(at)
        if carts[user] and rng.random() < 0.3:
            best = max(carts[user], key=lambda number: likes[number] + 0.5 * rng.gumbel())
            carts[user].remove(best)
            log(user, best, "purchase")
        if rng.random() < 0.15:
            log(user, int((2.0 * likes + rng.gumbel(size=items)).argmax()), "purchase")
    return found[:events]


def stream_of(events: list[Event], items: int) -> Stream:
    """The log in time order; hits are purchases."""
    catalog = [Item(f"i{number}", f"item {number}") for number in range(items)]
    relevance = parse_relevance("signal=purchase")
    return make_stream(catalog, events, SIGNALS, relevance, LeftOut())


def unit_rows(items: int) -> Matrix:
    """Texts that say nothing."""
    rows = np.random.default_rng(0).standard_normal((items, 32)).astype(np.float32)
    unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def main() -> None:
    """Prints recall@10 and NDCG@10 for each shop and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--items", type=int, default=800)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    for curiosity in (0.2, 0.9):
        log = made_up(chosen.users, chosen.items, chosen.events, curiosity, chosen.seed)
        stream = stream_of(log, chosen.items)
        for candidates in ("unseen", "all"):
            plan = ReplayConfig(0.5, 1, chosen.events // 4, candidates)
            targets = choose_targets(stream, plan)
            methods: list[tuple[str, Recommender]] = []
            for name, objective in (("every like alike", "all"), ("objective", "")):
                config = dataclasses.replace(CONFIG, objective=objective)
                clock = middle_clock(learn_for=config)
                methods.append((name, PenchantRecommender(config, unit_rows(chosen.items), clock)))
            methods.append(("popularity", make("popularity", chosen.seed)))
            for name, recommender in methods:
                ranks = replay(stream, recommender, targets, plan).rank
                hits, gains = recall(ranks, 10).mean(), ndcg(ranks, 10).mean()
                print(
                    f"curiosity {curiosity}, {candidates}, {len(ranks):,} purchases, {name}: "
                    f"recall@10 {hits:.3f}, NDCG@10 {gains:.4f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
