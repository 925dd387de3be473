"""The impressions of an event log, each with what came of it: what evaluations of policies read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event
from penchant.logs.events import CONTEXT_PREFIX
from penchant.store.base import Snapshot
from penchant.store.users import read_log, scan_user_ids

COLUMNS = (
    "impression",
    "user",
    "item",
    "reward",
    "propensity",
    "propensity_estimated",
    "position",
    "score",
    "occurred_at",
    "recommendation_id",
)
"""Of every row; those of the contexts follow."""


@dataclass(frozen=True, slots=True)
class Impression:
    """Something that was shown, and the events that answered it."""

    event: Event
    answers: tuple[Event, ...]

    def reward(self, signals: frozenset[str]) -> float:
        """1 where one of the signals is among the answers, else 0."""
        return float(any(answer.signal in signals for answer in self.answers))

    def row(self, signals: frozenset[str]) -> dict[str, object]:
        """The impression by `COLUMNS`, and `context.KEY` for each entry of its context."""
        event, exposure = self.event, self.event.exposure
        context = {f"{CONTEXT_PREFIX}{key}": entry for key, entry in event.context}
        return {
            "impression": event.event_id,
            "user": event.user,
            "item": event.item,
            "reward": self.reward(signals),
            "propensity": exposure.propensity if exposure else 0.0,
            "propensity_estimated": exposure is not None and exposure.propensity_estimated,
            "position": exposure.position if exposure else 0,
            "score": exposure.score if exposure else 0.0,
            "occurred_at": event.occurred_at_us / 1e6,
            "recommendation_id": event.recommendation_id,
            **context,
        }


def impressions_of(events: Iterable[Event], table: SignalTable) -> Iterator[Impression]:
    """The impressions of one user's events, in their order, with their answers.

    As the fold sees it: an outcome for the same item answers an impression if it names the same
    recommendation, and one of no recommendation if it comes later. An event whose signal the table
    does not hold is none of either.
    """
    known = [event for event in events if event.signal in table]
    outcomes: defaultdict[str, list[Event]] = defaultdict(list)
    for event in known:
        if table[event.signal].wait_s is None:
            outcomes[event.item].append(event)
    for event in known:
        if table[event.signal].wait_s is not None:
            told = [one for one in outcomes[event.item] if _answers(one, event)]
            yield Impression(event, tuple(told))


def _answers(outcome: Event, shown: Event) -> bool:
    if shown.recommendation_id:
        return outcome.recommendation_id == shown.recommendation_id
    return outcome.occurred_at_us >= shown.occurred_at_us


def impressions_in(snapshot: Snapshot, table: SignalTable) -> Iterator[Impression]:
    """All users' impressions in a store; one user's log is in memory at a time."""
    for user in scan_user_ids(snapshot):
        yield from impressions_of((row.event for row in read_log(snapshot, user)), table)


def good_signals(table: SignalTable) -> frozenset[str]:
    """The outcomes whose own reward is positive: what a reward of 1 stands for by default.

    >>> from penchant.domain.signals import named_signals
    >>> sorted(good_signals(named_signals("ads")))
    ['click', 'conversion']
    """
    return frozenset(
        name for name, signal in table.items() if signal.wait_s is None and signal.reward > 0
    )
