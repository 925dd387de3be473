"""The events that are ranked for, chosen once so that all recommenders rank for the same ones."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from penchant.domain.arrays import Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.logs.log_check import AUTO, share_of_repeats, told_candidates
from penchant.logs.stream import Stream

CANDIDATES = ("unseen", "all")
"""What is ranked; `auto`, one of them by the log, is resolved before anything is."""

MOST_UNFITTED = 5000
"""Events after which recommenders fit again by default, at most."""

LEAST_UNFITTED = 100
"""The same, at least: a server's clock waits for as many."""


def _grown(events: int) -> int:
    return min(MOST_UNFITTED, max(LEAST_UNFITTED, events // 10))


def _default_refits(_: Any) -> str:
    return f"a tenth of those before, {MOST_UNFITTED:,} at most"


@dataclass(frozen=True, slots=True)
class ReplayConfig:
    """How a stream is replayed.

    >>> ReplayConfig(train_fraction=1.0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: train_fraction: got 1.0, expected 0 or more, below 1
    """

    train_fraction: float = 0.3
    """Share of the events, the oldest, to train on before the first ranking, 0 to below 1."""
    every: int = 1
    """Rank for one in this many relevant events, starting with the first."""
    refresh_every: Annotated[int | None, Parameter(show_default=_default_refits)] = None
    """Fit again, the baselines too, after this many events; 0: never."""
    candidates: str = AUTO
    """Items to rank: unseen, those that the user has no event about yet; all; auto: all if many
    hits are repeats."""

    def __post_init__(self) -> None:
        if not 0 <= self.train_fraction < 1:
            got = self.train_fraction
            raise ConfigError(f"train_fraction: got {got}, expected 0 or more, below 1")
        if self.every < 1:
            raise ConfigError(f"every: got {self.every}, expected 1 or more")
        if self.refresh_every is not None and self.refresh_every < 0:
            raise ConfigError(f"refresh_every: got {self.refresh_every}, expected 0 or more")
        if self.candidates not in (AUTO, *CANDIDATES):
            raise ConfigError(f"candidates: got {self.candidates!r}, expected auto, unseen or all")

    def resolved(self, stream: Stream) -> ReplayConfig:
        """The same with `unseen` or `all` for `auto`; see `told_candidates`."""
        if self.candidates != AUTO:
            return self
        told = told_candidates(AUTO, share_of_repeats(stream))
        return dataclasses.replace(self, candidates=told)

    def start(self, stream: Stream) -> int:
        """Position of the first event after the training part."""
        return int(self.train_fraction * len(stream.events))

    def refits(self, stream: Stream) -> Sequence[int]:
        """Positions before which recommenders fit again, without the first fit.

        By default as soon as the log has grown by a tenth, and after `MOST_UNFITTED` events at the
        latest: a server refreshes more often, once a hundredth is new.
        """
        count, start = len(stream.events), self.start(stream)
        if self.refresh_every == 0:
            return ()
        if self.refresh_every is not None:
            return range(start + self.refresh_every, count, self.refresh_every)
        found = []
        position = start + _grown(start)
        while position < count:
            found.append(position)
            position += _grown(position)
        return found


@dataclass(frozen=True, slots=True)
class EvaluationTargets:
    """The n events that are ranked for, in time order."""

    positions: Int64
    """Positions in the stream, shape (n,)."""
    earlier: Int64
    """Number of the user's earlier events, shape (n,)."""
    item_age: Int64
    """Number of earlier events about the item, shape (n,)."""
    seen: int
    """Relevant events left out because their item was no candidate."""
    candidates: str
    """What is ranked, one of `CANDIDATES`."""

    def taken(self, places: Int64 | Mask) -> EvaluationTargets:
        """The targets at some places, in their order."""
        return dataclasses.replace(
            self,
            positions=self.positions[places],
            earlier=self.earlier[places],
            item_age=self.item_age[places],
        )


def choose_targets(stream: Stream, replay_config: ReplayConfig) -> EvaluationTargets:
    """Chooses the relevant events after the training part with a candidate as their item.

    Raises:
        ConfigError: there are none.
    """
    start = replay_config.start(stream)
    candidates = replay_config.resolved(stream).candidates
    of_user, of_item = Counter[int](), Counter[int]()
    touched: defaultdict[int, set[int]] = defaultdict(set)
    rows: list[tuple[int, int, int]] = []
    seen = 0
    for position, (user, item) in enumerate(
        zip(stream.user.tolist(), stream.item.tolist(), strict=True)
    ):
        if position >= start and stream.relevant[position]:
            if candidates == "unseen" and item in touched[user]:
                seen += 1
            else:
                rows.append((position, of_user[user], of_item[item]))
        touched[user].add(item)
        of_user[user] += 1
        of_item[item] += 1
    chosen = np.array(rows[:: replay_config.every], np.int64).reshape(-1, 3)
    if len(chosen) == 0:
        count = len(stream.events) - start
        raise ConfigError(
            f"relevant: none of the {count:,} events after the training part can be ranked for "
            f"({seen:,} are about items that the user had an event about before; "
            "--candidates all ranks for those too); expected at least one"
        )
    return EvaluationTargets(chosen[:, 0], chosen[:, 1], chosen[:, 2], seen, candidates)
