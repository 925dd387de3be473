"""What the fake server shows of what it scored: the best, a diverse list, or an explored one."""

from __future__ import annotations

import math
import random

from penchant_proto.v1 import rank_pb2
from penchant_sdk._fake_maths import Vector, dot

DRAWS = 64
_DEVIATION = 0.1
"""Standard deviation of a score: the fake knows of no posterior."""

Placed = list[tuple[str, float]]
"""Ids with their propensities."""


def choose(
    request: rank_pb2.RankRequest, scores: dict[str, float], vectors: dict[str, Vector], left: int
) -> Placed:
    """The list that a request gets.

    Args:
        request: what was asked for.
        scores: of what may be shown, in the catalog's order.
        vectors: the items'.
        left: explored impressions that the user's budget still allows.
    """
    if request.HasField("explore") and left:
        return _explored(request, scores)
    best = sorted(scores, key=lambda id: -scores[id])
    if request.diversity:
        best = _diverse(best, scores, vectors, request.k, request.diversity)
    return [(id, 1.0) for id in best[: request.k]]


def _explored(request: rank_pb2.RankRequest, scores: dict[str, float]) -> Placed:
    explore = request.explore
    rng = random.Random(explore.seed if explore.HasField("seed") else None)
    remaining = dict(scores)
    placed: Placed = []
    while remaining and len(placed) < request.k:
        chances = _chances(explore, remaining, rng)
        id = rng.choices(list(chances), list(chances.values()))[0]
        placed.append((id, chances[id]))
        del remaining[id]
    return placed


def _chances(
    explore: rank_pb2.Exploration, scores: dict[str, float], rng: random.Random
) -> dict[str, float]:
    best = max(scores, key=lambda id: scores[id])
    if explore.WhichOneof("policy") == "plackett_luce":
        temperature = explore.plackett_luce.temperature
        weights = {id: math.exp((scores[id] - scores[best]) / temperature) for id in scores}
        total = sum(weights.values())
        return {id: max(weight / total, 5e-324) for id, weight in weights.items()}
    if explore.WhichOneof("policy") == "epsilon_greedy":
        epsilon = explore.epsilon_greedy.epsilon
        return {id: epsilon / len(scores) + (1 - epsilon) * (id == best) for id in scores}
    deviation = _DEVIATION * explore.thompson.scale
    wins = dict.fromkeys(scores, 0)
    for _ in range(DRAWS):
        drawn = {id: score + rng.gauss(0.0, deviation) for id, score in scores.items()}
        wins[max(drawn, key=lambda id: drawn[id])] += 1
    return {id: count / DRAWS for id, count in wins.items()}


def _diverse(
    best: list[str], scores: dict[str, float], vectors: dict[str, Vector], k: int, diversity: float
) -> list[str]:
    pool = best[: 10 * k]
    if not pool:
        return []
    low, spread = scores[pool[-1]], (scores[pool[0]] - scores[pool[-1]]) or 1.0
    chosen: list[str] = []
    while pool and len(chosen) < k:

        def worth(id: str) -> float:
            nearest = max((dot(vectors[id], vectors[other]) for other in chosen), default=0.0)
            return (1 - diversity) * (scores[id] - low) / spread - diversity * nearest

        chosen.append(max(pool, key=worth))
        pool.remove(chosen[-1])
    return chosen
