"""Seeded traffic: users, their sessions and due times. Pure: no clock, no network.

The popularity of users and items follows Zipf's law. A session is one user who asks for a ranking,
gives feedback on some of its items, and asks again.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from loadtest.shapes import RateCurve

CANDIDATES = 100
"""Candidates of a ranking that names them."""
SHOWN = 10
"""Items in a ranking."""
MOST_ROUNDS = 5
"""Most feedbacks in a session."""
MOST_EVENTS = 3
"""Most events in a feedback."""
SIGNALS = ("click", "view", "like", "skip", "dislike")
_SIGNAL_WEIGHTS = (40, 30, 15, 12, 3)

_KINDS = ("thriller", "comedy", "drama", "documentary", "western", "musical", "puzzle", "romance")
_MOODS = ("quiet", "loud", "bitter", "warm", "strange", "fast", "slow", "bright")
_THINGS = ("a harbour", "two sisters", "a lost dog", "the moon", "a small bank", "winter", "a chef")


class Zipf:
    """Draws numbers from 0 to `size` - 1; the weight of r is (r + 1) ** -exponent."""

    def __init__(self, size: int, exponent: float) -> None:
        """Prepares the cumulative weights.

        Args:
            size: how many numbers there are, 1 or more.
            exponent: 0 gives equal weights; about 1 fits users and items.

        Raises:
            ValueError: `size` is less than 1.
        """
        if size < 1:
            raise ValueError(f"size: got {size}, expected 1 or more")
        weights = ((rank + 1) ** -exponent for rank in range(size))
        self._sums = list(itertools.accumulate(weights))

    def draw(self, rng: random.Random) -> int:
        """Draws one number."""
        return bisect.bisect(self._sums, rng.random() * self._sums[-1], hi=len(self._sums) - 1)

    def draw_distinct(self, rng: random.Random, count: int) -> list[int]:
        """Draws `count` different numbers, or all numbers if there are fewer."""
        count = min(count, len(self._sums))
        chosen: dict[int, None] = {}
        while len(chosen) < count:
            chosen[self.draw(rng)] = None
        return list(chosen)


@dataclass(frozen=True, slots=True)
class Population:
    """The users who may start a session, and the items that may be candidates."""

    users: Zipf
    items: Zipf


@dataclass(frozen=True, slots=True)
class RankStep:
    """A request for a ranking."""

    user: str
    candidates: tuple[str, ...] | None
    """Ids of the candidates; None for the whole catalog."""
    after_feedback: bool
    """Whether the ranking must reflect the session's last feedback."""


@dataclass(frozen=True, slots=True)
class FeedbackStep:
    """Feedback on items that the session has been shown."""

    user: str
    events: tuple[tuple[str, str], ...]
    """Pairs of item id and signal."""


Step = RankStep | FeedbackStep
Session = Generator[Step, Sequence[str], None]
"""Yields steps; after a `RankStep`, send it the ids of the ranking."""


def session(rng: random.Random, population: Population) -> Session:
    """One user's session: rankings and feedback in turn, with a ranking first and last."""
    user = user_id(population.users.draw(rng))
    candidates: tuple[str, ...] | None = None
    if rng.random() < 0.5:
        candidates = tuple(map(item_id, population.items.draw_distinct(rng, CANDIDATES)))
    shown = yield RankStep(user, candidates, after_feedback=False)
    for _ in range(rng.randint(1, MOST_ROUNDS)):
        if not shown:
            return
        touched = rng.sample(list(shown), min(len(shown), rng.randint(1, MOST_EVENTS)))
        signals = rng.choices(SIGNALS, _SIGNAL_WEIGHTS, k=len(touched))
        yield FeedbackStep(user, tuple(zip(touched, signals, strict=True)))
        shown = yield RankStep(user, candidates, after_feedback=True)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals along a curve of rates, shared by the clients in turn.

    >>> curve = RateCurve.of("steady", highest=10.0, seconds=60.0)
    >>> Arrivals(curve, clients=2).due_s(client=1, step=3)
    0.7
    """

    curve: RateCurve
    """Requests per second of all clients together."""
    clients: int

    def due_s(self, client: int, step: int) -> float:
        """Due time of a client's step in seconds after the start, whenever earlier steps ended."""
        return self.curve.due_s(step * self.clients + client)


def user_id(number: int) -> str:
    """Id of a user; users with lower numbers start more sessions."""
    return f"visitor-{number}"


def item_id(number: int) -> str:
    """Id of an item; items with lower numbers are candidates more often."""
    return f"film-{number}"


def item_text(number: int) -> str:
    """Text of an item for the encoder, different for every item.

    >>> item_text(9)
    'Film 9: a loud comedy about a harbour'
    """
    rest, kind = divmod(number, len(_KINDS))
    rest, mood = divmod(rest, len(_MOODS))
    thing = _THINGS[rest % len(_THINGS)]
    return f"Film {number}: a {_MOODS[mood]} {_KINDS[kind]} about {thing}"
