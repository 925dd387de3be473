"""The replay of the films demo: import the history, then rank before each rating and feed it back.

Ratings are played in time order. Each rating of a watched user is one call; the ratings of all
other users go in between, 100 in a call, so that the state of every user advances as it did.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demos.fill_server import EVENTS_PER_CALL, feed, in_calls
from demos.films.film_metrics import K, WatchedRanking
from demos.films.live_popularity import LivePopularity
from demos.progress_steps import Advance
from penchant.domain.types import Event
from penchant_sdk import FeedbackAck, Penchant, Ranking

HISTORY = 30_000
"""Number of ratings imported before the live traffic."""
LIKED = 4.0
"""Fewest stars of a film that a good ranking has in its top ten."""
OTHERS_PER_CALL = 100
REFRESH_EVERY = 14_000
"""Ratings between two turns of the middle clock: a month of this log, which passes in seconds."""

_STORY_EVENTS = (30, 80)


@dataclass(frozen=True, slots=True)
class UserStory:
    """The first and the last top ten of one user."""

    user: str
    before: Ranking
    after: Ranking
    after_s: float
    """Epoch seconds of the last ranking."""
    first_clock: tuple[str, ...] = ()
    """The last top ten if nothing had ever been refreshed: ids, best first."""


@dataclass(slots=True)
class LiveOutcome:
    """Results of a replay."""

    rankings: list[WatchedRanking] = field(default_factory=list)
    rank_s: list[float] = field(default_factory=list)
    """Duration of each rank call, in seconds."""
    feedback_s: list[float] = field(default_factory=list)
    """Duration of each feedback call with one event, in seconds."""
    story: UserStory | None = None


def choose_users(later: Sequence[Event], users: int, seed: int) -> list[str]:
    """Draws the users to watch from those with ratings after the history."""
    active = sorted({event.user for event in later}, key=int)
    return random.Random(seed).sample(active, min(users, len(active)))


def choose_story(history: Sequence[Event], later: Sequence[Event], watched: Sequence[str]) -> str:
    """Chooses the watched user whose first and last top ten the demo shows.

    Of the users without history and with 30 to 80 ratings it is the one with the median number of
    ratings; if there are none, the watched user with the most ratings.
    """
    known = {event.user for event in history}
    counts = Counter(event.user for event in later)
    low, high = _STORY_EVENTS
    suitable = [user for user in watched if user not in known and low <= counts[user] <= high]
    if not suitable:
        return max(watched, key=lambda user: (counts[user], user))
    suitable.sort(key=lambda user: (counts[user], user))
    return suitable[len(suitable) // 2]


class LiveReplay:
    """Plays ratings against a server and a popularity ranking, and records where films ranked."""

    def __init__(self, penchant: Penchant, popularity: LivePopularity) -> None:
        self._penchant = penchant
        self._popularity = popularity
        self._rated: defaultdict[str, set[str]] = defaultdict(set)
        self._versions: dict[str, int] = {}
        self.outcome = LiveOutcome()

    def learn(self, events: Sequence[Event]) -> FeedbackAck:
        """Feeds back events in one call, then adds them to the popularity ranking."""
        ack = feed(self._penchant, events)
        self._popularity.add(events)
        for event, result in zip(events, ack.results, strict=True):
            self._rated[event.user].add(event.item)
            self._versions[event.user] = result.state_version
        return ack

    def import_history(self, events: Sequence[Event], advance: Advance) -> None:
        """Feeds back the ratings of the past, many in a call."""
        in_calls(events, EVENTS_PER_CALL, self.learn, advance)

    def play_live(
        self,
        events: Sequence[Event],
        watched: Sequence[str],
        story_user: str,
        advance: Advance,
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        """Plays ratings as live traffic.

        Args:
            events: ratings in time order.
            watched: users whose films are looked up in both rankings before each rating.
            story_user: the watched user whose first and last top ten are kept.
            advance: called with 1 after each rating.
            refresh: called before the first rating, and after every `REFRESH_EVERY`.
        """
        watching = set(watched)
        of_story = [event for event in events if event.user == story_user]
        before: Ranking | None = None
        others: list[Event] = []
        for number, event in enumerate(events):
            if number % REFRESH_EVERY == 0:
                refresh()
            if event.user in watching:
                if event is of_story[0]:
                    before = self._rank(event)
                self._rate(event)
                if event is of_story[-1] and before:
                    after, after_s = self._rank(event, explain=True), event.occurred_at_us / 1e6
                    self.outcome.story = UserStory(story_user, before, after, after_s)
            else:
                others.append(event)
                if len(others) == OTHERS_PER_CALL:
                    self.learn(others)
                    others = []
            advance(1)
        if others:
            self.learn(others)

    def _rate(self, event: Event) -> None:
        """Plays one rating of a watched user: looks the film up if it is liked, then feeds back."""
        if event.value is not None and event.value >= LIKED:
            began = time.perf_counter()
            ranking = self._rank(event)
            self.outcome.rank_s.append(time.perf_counter() - began)
            rated = self._rated[event.user]
            popular = self._popularity.top(K, leave_out=rated)
            self.outcome.rankings.append(
                WatchedRanking(
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
        """The user's top ten at the time of an event, from a state with every acked event."""
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
