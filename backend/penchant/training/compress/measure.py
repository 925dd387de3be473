"""What an encoder lost and gained by being made smaller, measured side by side in one run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.evaluation import metrics
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.stream import Stream

ROUNDS = 3
"""How often each encoder encodes the texts, in turn; the best round counts."""
ALONE = 50
"""Texts that are encoded one by one."""
TIMED = 500
"""Texts that are encoded together, at most."""


class BudgetExceeded(ConfigError):
    """The smaller encoder lost more than the budget; nothing was written.

    Cause: pruning or quantizing cost more NDCG@10 than `--max-loss`.
    Remedy: keep more layers or another `--method`, raise `--max-loss`, or keep the larger encoder.
    """


@dataclass(frozen=True, slots=True)
class Measured:
    """One encoder."""

    ndcg: float
    """NDCG@10 on the validation part."""
    recall: float
    """recall@10."""
    size_bytes: int
    """Of its directory, engines aside."""
    texts_per_s: float
    """Many real texts together, one thread."""
    alone_s: float
    """Seconds for one text alone, the median."""


@dataclass(frozen=True, slots=True)
class Change:
    """One encoder after another."""

    before: Measured
    after: Measured
    loss: float
    """Share of NDCG@10 that was lost; below 0: gained."""
    low: float
    """Lower end of the loss's 95 % interval, by users."""
    high: float
    """Its upper end."""
    rankings: int
    cosine_mean: float
    """Of a text's vectors before and after; NaN where their lengths differ."""
    cosine_least: float

    @property
    def faster(self) -> float:
        """How many times the throughput."""
        return self.after.texts_per_s / self.before.texts_per_s


class Judge:
    """Ranks the validation part for any vectors of the stream's items."""

    def __init__(self, stream: Stream, fraction: float, max_rankings: int, config: Config) -> None:
        """Chooses the rankings.

        Args:
            stream: items and log.
            fraction: the share of the log, the newest, that is ranked for, above 0 to below 1.
            max_rankings: of more, one of every few is taken.
            config: settings of the server.

        Raises:
            ConfigError: the fraction is out of its range, or nothing can be ranked for.
        """
        if not 0 < fraction < 1:
            raise ConfigError(f"validation_fraction: got {fraction}, expected above 0 to below 1")
        plan = ReplayConfig(1 - fraction, refresh_every=0)
        found = choose_targets(stream, plan)
        plan = ReplayConfig(1 - fraction, max(1, -(-len(found.positions) // max_rankings)), 0)
        self._stream, self._plan, self._config = stream, plan, config
        self._targets = choose_targets(stream, plan)
        self.user = stream.user[self._targets.positions]
        """Whose rankings they are, shape (n,)."""
        self.texts = [item.text for item in stream.items]

    def gains(self, vectors: Matrix) -> Float64:
        """NDCG@10 and recall@10 of each ranking, shape (n, 2)."""
        recommender = PenchantRecommender(self._config, vectors)
        ranks = replay(self._stream, recommender, self._targets, self._plan).rank
        return np.stack([metrics.ndcg(ranks, 10), metrics.recall(ranks, 10)], axis=1)


def compare(
    judge: Judge, before: tuple[Encoder, Path], after: tuple[Encoder, Path], seed: int = 1
) -> Change:
    """Quality, size and speed of two encoders, each with its directory.

    Raises:
        ConfigError: the first one's NDCG@10 is 0, so that no share of it can be lost.

    Cost: each encodes the catalog once and up to `TIMED` of its texts `ROUNDS` times.
    """
    encoders = [before[0], after[0]]
    vectors = [encoder.encode(judge.texts) for encoder in encoders]
    gains = [judge.gains(one) for one in vectors]
    if not gains[0].any():
        raise ConfigError(
            f"validation_fraction: the encoder has NDCG@10 0 over {len(gains[0]):,} rankings, so "
            "that no loss can be measured; expected more. Rank a larger part of the log"
        )
    together, alone = _speeds(encoders, judge.texts)
    first, second = (
        Measured(
            ndcg=float(gains[place][:, 0].mean()),
            recall=float(gains[place][:, 1].mean()),
            size_bytes=size_of(directory),
            texts_per_s=together[place],
            alone_s=alone[place],
        )
        for place, (_, directory) in enumerate((before, after))
    )
    means = metrics.bootstrap(np.stack([one[:, 0] for one in gains], axis=1), judge.user, seed)
    old, new = means[means[:, 0] > 0].T  # Of few users, some draw none with a gain.
    low, high = np.quantile(1 - new / old, (0.025, 0.975)).tolist()
    cosines = cosines_of(*vectors)
    return Change(
        before=first,
        after=second,
        loss=1 - second.ndcg / first.ndcg,
        low=low,
        high=high,
        rankings=len(gains[0]),
        cosine_mean=float(cosines.mean()),
        cosine_least=float(cosines.min()),
    )


def check_output(output: Path, note: str, kind: str) -> None:
    """Raises ConfigError where a directory to write holds something, but no such note."""
    empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not empty and not (output / note).is_file():
        raise ConfigError(f"output: {output} holds something else than {kind}")


def check_budget(max_loss: float) -> None:
    """Raises ConfigError where a loss budget is no share from 0 to below 1."""
    if not 0 <= max_loss < 1:
        raise ConfigError(f"max_loss: got {max_loss}, expected 0 to below 1")


def require_within(change: Change, max_loss: float, verb: str) -> None:
    """Raises BudgetExceeded, naming the figures, where more was lost than may be."""
    if change.loss <= max_loss:
        return
    raise BudgetExceeded(
        f"{verb}: NDCG@10 fell from {change.before.ndcg:.4f} to {change.after.ndcg:.4f} over "
        f"{change.rankings:,} rankings: {change.loss:.1%} lost, expected at most {max_loss:.1%}; "
        "nothing was written. Choose a milder setting, or a larger --max-loss"
    )


def cosines_of(before: Matrix, after: Matrix) -> Float64:
    """Of unit vectors row by row, shape (n,); NaN where the vectors' lengths differ."""
    if before.shape != after.shape:
        return np.full(len(before), np.nan)
    cosines: Float64 = (before.astype(np.float64) * after).sum(axis=1)
    return cosines


def size_of(directory: Path) -> int:
    """Bytes of a directory's own files, those of its folders aside."""
    return sum(path.stat().st_size for path in directory.iterdir() if path.is_file())


def _speeds(encoders: Sequence[Encoder], texts: list[str]) -> tuple[list[float], list[float]]:
    """Texts a second together, and seconds of one alone, of each encoder.

    They work in turn, so that what else the machine does falls on all of them.
    """
    many = texts[:: -(-len(texts) // TIMED)]
    rounds = np.zeros((ROUNDS, len(encoders)))
    for row in range(ROUNDS):
        for place, encoder in enumerate(encoders):
            rounds[row, place] = _seconds(encoder, many)
    few = many[:ALONE]
    single = [[_seconds(encoder, [text]) for encoder in encoders] for text in few]
    best = rounds.min(axis=0)
    return (len(many) / best).tolist(), np.median(single, axis=0).tolist()


def _seconds(encoder: Encoder, texts: list[str]) -> float:
    began = time.perf_counter()
    encoder.encode(texts)
    return time.perf_counter() - began
