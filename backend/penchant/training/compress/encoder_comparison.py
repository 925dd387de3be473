"""Two encoders measured side by side: ranking quality, size and speed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.evaluation import metrics
from penchant.training.validation_rankings import ValidationRankings

ROUNDS = 3
"""Times each encoder encodes the texts, in turn; its best round counts."""
ALONE = 50
"""Number of texts encoded one by one."""
TIMED = 500
"""Maximum number of texts encoded together."""


class LossBudgetExceeded(ConfigError):
    """A compressed encoder lost more than its budget allows; no option is wrong.

    Cause: the encoder with fewer layers, tokens or bits ranks the validation part of the log worse
    than the original, by more than `--max-loss`.
    Remedy: keep more of the encoder (more layers, the method `blockwise`), or allow a larger loss.
    """


@dataclass(frozen=True, slots=True)
class EncoderFigures:
    """The figures of one encoder."""

    ndcg: float
    """Mean NDCG@10 on the validation part."""
    recall: float
    """Mean recall@10 on the validation part."""
    size_bytes: int
    """Size of the directory, without compiled engines."""
    texts_per_s: float
    """Texts per second when encoded together, on one thread."""
    alone_s: float
    """Median seconds per text when encoded alone, on one thread."""


@dataclass(frozen=True, slots=True)
class EncoderComparison:
    """The figures of an encoder before and after compression."""

    before: EncoderFigures
    after: EncoderFigures
    loss: float
    """Share of NDCG@10 lost; negative if gained."""
    low: float
    """Lower end of the loss's 95 % interval, resampled by user."""
    high: float
    """Upper end of the same interval."""
    rankings: int
    """Number of rankings measured."""
    cosine_mean: float
    """Mean cosine between a text's vectors before and after; NaN if their lengths differ."""
    cosine_least: float
    """Smallest of the same cosines."""

    @property
    def speedup(self) -> float:
        """Throughput after, as a multiple of the throughput before."""
        return self.after.texts_per_s / self.before.texts_per_s


def compare_encoders(
    rankings: ValidationRankings,
    before: tuple[Encoder, Path],
    after: tuple[Encoder, Path],
    seed: int = 1,
) -> EncoderComparison:
    """Measures two encoders, each given with its directory.

    Args:
        rankings: rankings of the validation part.
        before: the encoder that was compressed.
        after: the compressed encoder.
        seed: seed of the interval's resamples.

    Raises:
        ConfigError: the first encoder has an NDCG@10 of 0, so a lost share is undefined.

    Cost: each encodes the catalog once, and up to `TIMED` of its texts `ROUNDS` times.
    """
    encoders = [before[0], after[0]]
    vectors = [encoder.encode(rankings.texts) for encoder in encoders]
    gains = [rankings.gains(one) for one in vectors]
    if not gains[0].any():
        raise ConfigError(
            f"validation_fraction: the encoder has an NDCG@10 of 0 over {len(gains[0]):,} "
            "rankings, so no loss can be measured; expected above 0. Rank for a larger part of "
            "the log"
        )
    together, alone = _speeds(encoders, rankings.texts)
    first, second = (
        EncoderFigures(
            ndcg=float(gains[place][:, 0].mean()),
            recall=float(gains[place][:, 1].mean()),
            size_bytes=size_of(directory),
            texts_per_s=together[place],
            alone_s=alone[place],
        )
        for place, (_, directory) in enumerate((before, after))
    )
    ndcg = np.stack([one[:, 0] for one in gains], axis=1)
    means = metrics.bootstrap(ndcg, rankings.user, seed)
    old, new = means[means[:, 0] > 0].T  # With few users, some resamples have no gain at all.
    low, high = np.quantile(1 - new / old, (0.025, 0.975)).tolist()
    cosines = cosines_of(*vectors)
    return EncoderComparison(
        before=first,
        after=second,
        loss=1 - second.ndcg / first.ndcg,
        low=low,
        high=high,
        rankings=len(gains[0]),
        cosine_mean=float(cosines.mean()),
        cosine_least=float(cosines.min()),
    )


def check_max_loss(max_loss: float) -> None:
    """Checks a loss budget.

    Raises:
        ConfigError: it is not from 0 to below 1.
    """
    if not 0 <= max_loss < 1:
        raise ConfigError(f"max_loss: got {max_loss}, expected 0 to below 1")


def require_within(comparison: EncoderComparison, max_loss: float, verb: str) -> None:
    """Refuses a compressed encoder that lost more than its budget.

    Args:
        comparison: the encoder before and after.
        max_loss: share of NDCG@10 that may be lost, 0 to below 1.
        verb: the job, the first word of the message.

    Raises:
        LossBudgetExceeded: the loss is larger.
    """
    if comparison.loss <= max_loss:
        return
    before, after = comparison.before.ndcg, comparison.after.ndcg
    raise LossBudgetExceeded(
        f"{verb}: NDCG@10 fell from {before:.4f} to {after:.4f} over {comparison.rankings:,} "
        f"rankings: {comparison.loss:.1%} lost, expected at most {max_loss:.1%}; nothing was "
        "written. Choose a milder setting, or a larger --max-loss"
    )


def cosines_of(before: Matrix, after: Matrix) -> Float64:
    """Cosines of unit vectors row by row, shape (n,); NaN if the vectors' lengths differ."""
    if before.shape != after.shape:
        return np.full(len(before), np.nan)
    cosines: Float64 = (before.astype(np.float64) * after).sum(axis=1)
    return cosines


def size_of(directory: Path) -> int:
    """Bytes of the files directly in a directory, without its subdirectories."""
    return sum(path.stat().st_size for path in directory.iterdir() if path.is_file())


def _speeds(encoders: Sequence[Encoder], texts: list[str]) -> tuple[list[float], list[float]]:
    """Texts per second together, and median seconds per text alone, of each encoder.

    The encoders take turns, so that other load on the machine affects all of them.
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
    began_s = time.perf_counter()
    encoder.encode(texts)
    return time.perf_counter() - began_s
