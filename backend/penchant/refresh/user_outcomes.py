"""The outcomes in the log of one user after another, read here or by other workers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Context
from penchant.store.base import Snapshot
from penchant.store.items import read_sound_item
from penchant.store.open import open_store
from penchant.store.users import read_log
from penchant.system.workers import ALONE, Workers

SHARE_USERS = 500
"""Users whose logs one process reads together."""


@dataclass(frozen=True, slots=True)
class UserOutcomes:
    """The outcomes of one user's log; item numbers, not rows, so that they stay valid."""

    item: Int64
    reward: Float64
    weight: Float64
    signal: Int64
    """Places in the signal table, in alphabetical order."""
    at_us: Int64
    context: Int64
    """Places among the contexts that the log holds."""
    retired: RetiredSignals


@dataclass(frozen=True, slots=True)
class LogShare:
    """Users whose logs one process reads."""

    address: str
    """Of the store."""
    users: tuple[str, ...]
    signals: SignalTable


@dataclass(frozen=True, slots=True)
class ReadShare:
    """The outcomes of a share's users, in their order."""

    outcomes: tuple[UserOutcomes, ...]
    contexts: tuple[Context, ...]
    """Those that the share has met, in the order of their first event."""


@dataclass(frozen=True, slots=True)
class OutcomeReaders:
    """Who reads the logs of users."""

    workers: Workers = ALONE
    address: str = ""
    """Of the store, for other workers; empty: this process reads."""

    def read(
        self,
        snapshot: Snapshot,
        users: Sequence[str],
        signals: SignalTable,
        contexts: dict[Context, int],
    ) -> Iterator[UserOutcomes]:
        """Yields the outcomes of users, in their order.

        What other workers read may be a moment newer than the snapshot.

        Args:
            snapshot: the store.
            users: whose logs are read.
            signals: rewards of the signals.
            contexts: places by context; those that are met for the first time are added.
        """
        if self.workers.alone or not self.address or len(users) <= SHARE_USERS:
            numbers: dict[str, int | None] = {}
            for user in users:
                yield read_outcomes(snapshot, user, signals, numbers, contexts)
            return
        shares = [
            LogShare(self.address, tuple(users[at : at + SHARE_USERS]), signals)
            for at in range(0, len(users), SHARE_USERS)
        ]
        for read in self.workers.worked(read_share, shares):
            places = [contexts.setdefault(context, len(contexts)) for context in read.contexts]
            place_of = np.array(places, np.int64)
            for one in read.outcomes:
                yield replace(one, context=place_of[one.context])


def read_share(share: LogShare) -> ReadShare:
    """Reads the logs of one share's users."""
    store = open_store(share.address, map_bytes=0)  # As large as its writer made it.
    numbers: dict[str, int | None] = {}
    contexts: dict[Context, int] = {}
    try:
        with store.snapshot() as snapshot:
            outcomes = tuple(
                read_outcomes(snapshot, user, share.signals, numbers, contexts)
                for user in share.users
            )
    finally:
        store.close()
    return ReadShare(outcomes, tuple(contexts))


def read_outcomes(
    snapshot: Snapshot,
    user: str,
    signals: SignalTable,
    numbers: dict[str, int | None],
    contexts: dict[Context, int],
) -> UserOutcomes:
    """Reads the outcomes in a user's log.

    Args:
        snapshot: the store.
        user: the user.
        signals: rewards of the signals.
        numbers: numbers of items by id, None: there is none; those that are met are added.
        contexts: places by context; those that are met for the first time are added.
    """
    items, times, kinds, places = array("q"), array("q"), array("q"), array("q")
    place = {name: number for number, name in enumerate(sorted(signals))}
    rewards, weights = array("d"), array("d")
    retired = RetiredSignals()
    for log_row in read_log(snapshot, user):
        event = log_row.event
        if event.item not in numbers:
            stored = read_sound_item(snapshot, event.item)
            numbers[event.item] = None if stored is None else stored.number
        number = numbers[event.item]
        outcome = retired.resolve(signals, event)
        if number is not None and outcome is not None and outcome.wait_s is None:
            items.append(number)
            rewards.append(outcome.reward)
            weights.append(outcome.weight)
            kinds.append(place[event.signal])
            times.append(event.occurred_at_us)
            places.append(contexts.setdefault(event.context, len(contexts)))
    return UserOutcomes(
        np.array(items, np.int64),
        np.array(rewards, np.float64),
        np.array(weights, np.float64),
        np.array(kinds, np.int64),
        np.array(times, np.int64),
        np.array(places, np.int64),
        retired,
    )
