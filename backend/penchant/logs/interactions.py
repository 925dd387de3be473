"""The outcomes of an event log as four arrays: what a refresh of item vectors learns from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy import floating
from numpy.typing import NDArray

from penchant.domain.arrays import Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.logs.accept import accept
from penchant.logs.columns import EventColumns
from penchant.logs.event_log import EventLog
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events
from penchant.logs.refusals import LeftOut


@dataclass(frozen=True, slots=True)
class ContextValues:
    """The values of one key of the context of n events."""

    code: Int64
    """Places in `values`, shape (n,); -1: the event's context lacks the key."""
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Interactions:
    """n events as arrays of shape (n,), in any order."""

    user: Int64
    """User numbers, 0 or more."""
    item: Int64
    """Rows of the text vectors."""
    reward: NDArray[floating[Any]]
    """Rewards from -1 to 1; an event with a positive reward is a like."""
    at_us: Int64
    """Event times in microseconds since 1970."""
    weight: NDArray[floating[Any]] | None = None
    """Weights of the events in the fold, 0 or more; None: 1 each."""
    signal: Int64 | None = None
    """Places of the events' signals in `signals`; None: unknown."""
    signals: tuple[str, ...] = ()
    """Names of signals."""
    context: Mapping[str, ContextValues] = field(default_factory=dict)
    """The values of the events' contexts by key."""

    def taken(self, rows: Int64 | Mask | slice) -> Interactions:
        """The events at some places, in their order."""
        return Interactions(
            user=self.user[rows],
            item=self.item[rows],
            reward=self.reward[rows],
            at_us=self.at_us[rows],
            weight=None if self.weight is None else self.weight[rows],
            signal=None if self.signal is None else self.signal[rows],
            signals=self.signals,
            context={
                key: ContextValues(found.code[rows], found.values)
                for key, found in self.context.items()
            },
        )

    def likes_by_signal(self) -> dict[str, int]:
        """Events with a positive reward by signal; empty where signals are unknown."""
        if self.signal is None:
            return {}
        counts = np.bincount(self.signal[self.reward > 0], minlength=len(self.signals))
        return dict(zip(self.signals, counts.tolist(), strict=True))

    @property
    def firsts(self) -> Mask:
        """Which events are the first of their users about their items, shape (n,)."""
        pairs = self.user * (int(self.item.max(initial=0)) + 1) + self.item
        found = np.zeros(len(pairs), np.bool_)
        found[np.unique(pairs, return_index=True)[1]] = True
        return found

    def holds_impressions(self, signals: SignalTable) -> bool:
        """Whether an event is an impression by a signal table; False where signals are unknown."""
        if self.signal is None:
            return False
        names = [self.signals[code] for code in np.unique(self.signal).tolist()]
        return any(name in signals and signals[name].wait_s is not None for name in names)

    def of_signals(self, names: Collection[str]) -> Mask:
        """Which events have one of the signals, shape (n,)."""
        if self.signal is None:
            return np.zeros(len(self.item), np.bool_)
        chosen = np.array([name in names for name in self.signals], np.bool_)
        of_these: Mask = chosen[self.signal]
        return of_these


ReadLog = Callable[[Mapping[str, int]], Interactions]
"""Reads the events about items, given the row of each item's text vector by the item's id."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of events."""

    path: Path
    format: str | None
    """Format: csv, tsv, jsonl or parquet; None: as the file's name says."""
    columns: EventColumns
    """Columns of the events' fields."""

    def read(
        self, items: Mapping[str, int], signals: SignalTable, left_out: LeftOut
    ) -> Interactions:
        """Reads the events about known items, impressions left out.

        Args:
            items: rows of the text vectors by item id.
            signals: rewards of the signals, as the server has them.
            left_out: counts the rows and events that are refused.

        Raises:
            ConfigError: the file can't be read, or no event of it can be used.

        Cost: about a hundred bytes of memory an event, apart from ids and users' names.
        """
        with open_table(self.path, self.format) as table:
            log = read_events(table, self.columns, left_out)
        interactions = interactions_of(log, items, signals, left_out)
        if not len(interactions.item):
            why = "; ".join([*left_out.reasons(), *left_out.warnings])
            raise ConfigError(
                "events: none of the file can be learnt from; "
                + (why or "it holds none but impressions")
            )
        return interactions


def interactions_of(
    log: EventLog, items: Mapping[str, int], signals: SignalTable, left_out: LeftOut
) -> Interactions:
    """Returns the events that a server would accept, impressions aside; see `accept`."""
    accepted = accept(log, items, signals, left_out)
    outcome = ~accepted.impression
    position = accepted.position[outcome]
    return Interactions(
        user=log.user.code[position].astype(np.int64),
        item=accepted.item[outcome],
        reward=accepted.reward[outcome],
        at_us=log.at_us[position],
        weight=accepted.weight[outcome],
        signal=log.signal.code[position].astype(np.int64),
        signals=tuple(log.signal.distinct),
        context=context_values(log, position),
    )


def contexts_vary(events: Interactions) -> bool:
    """Whether any user has events in two contexts, so that where they were may matter."""
    for found in events.context.values():
        pairs = np.unique(np.stack([events.user, found.code])[:, found.code >= 0], axis=1)
        if len(np.unique(pairs[0])) < pairs.shape[1]:
            return True
    return False


def context_values(log: EventLog, position: Int64 | slice) -> dict[str, ContextValues]:
    """The contexts of the events at some positions of a log, by key."""
    found = {}
    for key, texts in log.whole_context.items():
        code = np.arange(len(texts.distinct))
        code[[place for place, text in enumerate(texts.distinct) if not text]] = -1
        found[key] = ContextValues(code[texts.code[position]], tuple(texts.distinct))
    return found
