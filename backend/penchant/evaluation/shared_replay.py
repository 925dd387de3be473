"""A replay cut into parts by user: each learns from every event, and ranks for its own users alone.

What a ranking shows depends on all that was learnt before, and on no other ranking. So parts that
all learn give together what one replay gives, to the byte, whoever makes them. Ranking takes most
of the time of a replay; learning is done in each part again.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.domain.arrays import Mask
from penchant.evaluation.interest_drift import InterestNotes, InterestWatch
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import ReplayResult, replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream
from penchant.system.progress import Progress
from penchant.system.workers import Workers


@dataclass(frozen=True, slots=True)
class ReplayPart:
    """The rankings of some users in a replay."""

    recommender: PenchantRecommender
    stream: Stream
    replay_config: ReplayConfig
    targets: EvaluationTargets
    """Those of its users."""
    watched: tuple[int, ...]
    """Users whose interest is noted."""


@dataclass(frozen=True, slots=True)
class ReplayedPart:
    """The outcome of a part."""

    result: ReplayResult
    notes: InterestNotes
    """Of those watched users whom it ranked for."""


def replay_part(part: ReplayPart) -> ReplayedPart:
    """Replays the stream for a part, with one BLAS thread, as a server has."""
    watch = InterestWatch(part.recommender, part.watched)
    with threadpool_limits(1):
        result = replay(part.stream, watch, part.targets, part.replay_config)
    return ReplayedPart(result, watch.notes)


def replay_in_parts(
    watch: InterestWatch,
    stream: Stream,
    targets: EvaluationTargets,
    replay_config: ReplayConfig,
    workers: Workers,
    progress: Progress,
) -> ReplayResult:
    """Replays a stream for Penchant in as many parts as there are workers.

    Args:
        watch: holds a recommender that has learnt nothing, and gets the notes of all parts.
        stream: the events.
        targets: events to rank for.
        replay_config: the one that the targets were chosen with.
        workers: who replays.
        progress: called with each part that is done.

    Returns:
        The ranks and lists of all parts; the times of learning and fitting are those of the first.
    """
    chosen = _parts(stream, targets, workers.parts)
    given = [
        ReplayPart(watch.recommender, stream, replay_config, targets.taken(mine), watch.users)
        for mine in chosen
    ]
    result: ReplayResult | None = None
    for place, (mine, done) in enumerate(
        zip(chosen, workers.worked(replay_part, given), strict=True)
    ):
        watch.add(done.notes)
        if result is None:
            result = _whole(done.result, len(targets.positions))
        result.rank[mine], result.top[mine] = done.result.rank, done.result.top
        result.rank_s[mine] = done.result.rank_s
        progress(watch.name, (place + 1) / len(chosen))
    assert result is not None
    return result


def _parts(stream: Stream, targets: EvaluationTargets, parts: int) -> Sequence[Mask]:
    """Which targets belong to each part, by a hash of their users' ids."""
    part_of = np.array([zlib.crc32(user.encode()) % parts for user in stream.users], np.int64)
    of_target = part_of[stream.user[targets.positions]]
    return [of_target == part for part in range(parts)]


def _whole(first: ReplayResult, targets: int) -> ReplayResult:
    """A result for all targets, with what the parts have in common."""
    return dataclasses.replace(
        first,
        rank=np.zeros(targets),
        top=np.full((targets, first.top.shape[1]), -1, first.top.dtype),
        rank_s=np.zeros(targets),
    )
