"""One trial of a fit: vectors, refresh and fold settings, judged on a validation part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.config import Config, with_score_weights
from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.domain.long_tail import TAIL_SETTINGS
from penchant.domain.types import Matrix
from penchant.evaluation import metrics
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.stream import Stream, first_events, part_of
from penchant.refresh.refresh_settings import RefreshSettings

TRAINING = 0.8
"""Share of the events, the oldest, that choices are made on; the rest measures the result."""
VALIDATION = 0.2
"""Share of that part, the newest, that each trial is judged by."""
LEAST_RANKINGS = 100
"""Rankings of the validation part below which nothing is chosen."""
MOST_RANKINGS = 1500
"""Rankings of a trial on all users, at most."""
UNLEARNT = dict.fromkeys(TAIL_SETTINGS, 0.0)
"""Weights that a trial's refresh does not search for: they are chosen so that they change nothing
of the NDCG@10 that rankings can tell, and would take a quarter of a trial."""


@dataclass(frozen=True, slots=True)
class FitChoice:
    """What a trial tries."""

    vectors: str
    """Name of the items' vectors."""
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    weights: Mapping[str, float] = field(default_factory=dict)
    """Settings of the fold that no refresh learns, by name."""

    @property
    def weights_json(self) -> str:
        """The settings of the fold as a JSON object."""
        return json.dumps(dict(sorted(self.weights.items())))

    @property
    def name(self) -> str:
        """All of it as text; equal choices have equal names."""
        return json.dumps([self.vectors, asdict(self.refresh), dict(sorted(self.weights.items()))])


@dataclass(frozen=True, slots=True)
class Rung:
    """A validation on a share of the users: the log, and the events to rank for."""

    number: int
    stream: Stream
    plan: ReplayConfig
    targets: EvaluationTargets

    @property
    def users(self) -> Int64:
        """User of each ranking."""
        return self.stream.user[self.targets.positions]

    def judge(self, choice: FitChoice, vectors: Matrix, config: Config) -> Float64:
        """NDCG@10 of each ranking with a choice, shape (rankings,).

        Args:
            choice: what to try.
            vectors: the vectors that it names, shape (items, d).
            config: the settings that are not searched.

        Cost: a refresh that learns weights, and a replay of the validation part.
        """
        weights = json.dumps({**UNLEARNT, **choice.weights})
        tried = with_score_weights(config, weights)
        recommender = PenchantRecommender(tried, vectors, middle_clock(choice.refresh, tried))
        with threadpool_limits(1):  # As `penchant evaluate` does.
            ranks = replay(self.stream, recommender, self.targets, self.plan).rank
        return metrics.ndcg(ranks, 10)


def rungs_of(stream: Stream, candidates: str, shares: Sequence[float], seed: int) -> list[Rung]:
    """Validations on ever more users, the last one on all of them; empty for too short a log.

    The log's newest part is cut off first, so that nothing later than the training part is read.

    Args:
        stream: the log.
        candidates: `unseen` or `all`, the items that a ranking may hold.
        shares: shares of the users, rising; a share with too few rankings is left out.
        seed: seed of the draw of users.
    """
    part = first_events(stream, int(TRAINING * len(stream.events)))
    order = np.random.default_rng(seed).permutation(len(stream.users))
    rungs: list[Rung] = []
    for share in shares:
        taken = np.zeros(len(stream.users), np.bool_)
        taken[order[: max(1, round(share * len(order)))]] = True
        few = part if share >= 1 else part_of(part, np.flatnonzero(taken[part.user]))
        plan = ReplayConfig(1 - VALIDATION, refresh_every=0, candidates=candidates)
        try:
            targets = choose_targets(few, plan)
        except ConfigError:
            continue  # No event of these users can be ranked for.
        count = len(targets.positions)
        if count < LEAST_RANKINGS:
            continue
        every = -(-count // max(LEAST_RANKINGS, int(share * MOST_RANKINGS)))
        plan = ReplayConfig(1 - VALIDATION, every, refresh_every=0, candidates=candidates)
        rungs.append(Rung(len(rungs), few, plan, choose_targets(few, plan)))
    return rungs
