"""The replay: history first, then for each rating rank, look, and feed the rating back.

Ratings come in time order. Those of the watched users are live traffic, one call each; those of all
others go in between in calls of 100, so that everybody's taste moves on as it did.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demos.films.film_metrics import K, Trial
from demos.films.live_popularity import LivePopularity
from penchant.cli.import_events import sdk_event
from penchant.domain.types import Event
from penchant_sdk import FeedbackAck, Penchant, Ranking

HISTORY = 30_000
"""Ratings that are imported before the live traffic."""
LIKED = 4.0
"""A film rated so or better is one that a ranking should have named."""
HISTORY_BATCH = 1000
OTHERS_BATCH = 100

_TIMEOUT_S = 30.0
_STORY_EVENTS = (30, 80)


@dataclass(frozen=True, slots=True)
class Story:
    """One user who began as a stranger: the first top ten and the last."""

    user: str
    before: Ranking
    after: Ranking
    after_s: float
    """Epoch seconds of the last ranking."""


@dataclass(slots=True)
class LiveOutcome:
    """What a replay saw."""

    trials: list[Trial] = field(default_factory=list)
    rank_s: list[float] = field(default_factory=list)
    """Seconds of each rank call."""
    feedback_s: list[float] = field(default_factory=list)
    """Seconds of each feedback call of one event."""
    story: Story | None = None


def choose_users(later: Sequence[Event], users: int, seed: int) -> list[str]:
    """Users to watch: a seeded sample of those who rate after the history."""
    active = sorted({event.user for event in later}, key=int)
    return random.Random(seed).sample(active, min(users, len(active)))


def choose_story(history: Sequence[Event], later: Sequence[Event], watched: Sequence[str]) -> str:
    """Whose top ten is shown: the watched stranger with the middle number of 30 to 80 ratings.

    Where there is none such, the watched user with the most ratings.
    """
    known = {event.user for event in history}
    counts = Counter(event.user for event in later)
    low, high = _STORY_EVENTS
    fit = [user for user in watched if user not in known and low <= counts[user] <= high]
    if not fit:
        return max(watched, key=lambda user: (counts[user], user))
    fit.sort(key=lambda user: (counts[user], user))
    return fit[len(fit) // 2]


class Replay:
    """Plays ratings against a server and a popularity ranking, and keeps the score."""

    def __init__(self, penchant: Penchant, popularity: LivePopularity) -> None:
        self._penchant = penchant
        self._popularity = popularity
        self._rated: defaultdict[str, set[str]] = defaultdict(set)
        self._versions: dict[str, int] = {}
        self.outcome = LiveOutcome()

    def learn(self, events: Sequence[Event]) -> FeedbackAck:
        """One feedback call; what it acked is known to the popularity ranking too."""
        ack = self._penchant.feedback([sdk_event(event) for event in events], timeout_s=_TIMEOUT_S)
        ack.raise_for_refused()
        self._popularity.add(events)
        for event, result in zip(events, ack.results, strict=True):
            self._rated[event.user].add(event.item)
            self._versions[event.user] = result.state_version
        return ack

    def history(self, events: Sequence[Event], on_events: Callable[[int], None]) -> None:
        """Imports ratings as what happened before."""
        for start in range(0, len(events), HISTORY_BATCH):
            chunk = events[start : start + HISTORY_BATCH]
            self.learn(chunk)
            on_events(len(chunk))

    def live(
        self,
        events: Sequence[Event],
        watched: Sequence[str],
        story: str,
        on_events: Callable[[int], None],
    ) -> None:
        """Plays the live traffic."""
        watching = set(watched)
        of_story = [event for event in events if event.user == story]
        before: Ranking | None = None
        others: list[Event] = []
        for event in events:
            if event.user in watching:
                if event is of_story[0]:
                    before = self._rank(event)
                self._visit(event)
                if event is of_story[-1] and before:
                    after, after_s = self._rank(event, explain=True), event.occurred_at_us / 1e6
                    self.outcome.story = Story(story, before, after, after_s)
            else:
                others.append(event)
                if len(others) == OTHERS_BATCH:
                    self.learn(others)
                    others = []
            on_events(1)
        if others:
            self.learn(others)

    def _visit(self, event: Event) -> None:
        """A watched user comes by, rates a film, and we look whether the ranking named it."""
        if event.value is not None and event.value >= LIKED:
            began = time.perf_counter()
            ranking = self._rank(event)
            self.outcome.rank_s.append(time.perf_counter() - began)
            rated = self._rated[event.user]
            popular = self._popularity.top(K, leave_out=rated)
            self.outcome.trials.append(
                Trial(
                    user=event.user,
                    item=event.item,
                    earlier=len(rated),
                    place=_place(ranking.ids, event.item),
                    popular_place=_place(popular, event.item),
                )
            )
        began = time.perf_counter()
        self.learn([event])
        self.outcome.feedback_s.append(time.perf_counter() - began)

    def _rank(self, event: Event, *, explain: bool = False) -> Ranking:
        """The user's top ten at the time of an event, by a state that holds every ack so far."""
        return self._penchant.rank(
            event.user,
            k=K,
            exclude_seen=True,
            min_state_version=self._versions.get(event.user, 0),
            explain=explain,
            as_of=event.occurred_at_us / 1e6,
        )


def _place(ids: Sequence[str], item: str) -> int | None:
    return ids.index(item) if item in ids else None
