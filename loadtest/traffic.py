"""Seeded traffic: who comes, what they do, and when. Pure: no clock, no network.

Popularity of users and items follows Zipf's law. A session is one user who asks for a ranking, says
something about items that were shown, and asks again.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

CANDIDATES = 100
SHOWN = 10
MOST_ROUNDS = 5
MOST_EVENTS = 3
SIGNALS = ("click", "view", "like", "skip", "dislike")
_SIGNAL_WEIGHTS = (40, 30, 15, 12, 3)

_KINDS = ("thriller", "comedy", "drama", "documentary", "western", "musical", "puzzle", "romance")
_MOODS = ("quiet", "loud", "bitter", "warm", "strange", "fast", "slow", "bright")
_THINGS = ("a harbour", "two sisters", "a lost dog", "the moon", "a small bank", "winter", "a chef")


class Zipf:
    """Numbers from 0 to `size` - 1, the number r with a weight of (r + 1) ** -exponent."""

    def __init__(self, size: int, exponent: float) -> None:
        """Prepares the sums that a draw searches.

        Args:
            size: how many numbers, 1 or more.
            exponent: 0 for equal weights; about 1 for people and things.
        """
        if size < 1:
            raise ValueError(f"size: got {size}, expected 1 or more")
        weights = ((rank + 1) ** -exponent for rank in range(size))
        self._sums = list(itertools.accumulate(weights))

    def draw(self, rng: random.Random) -> int:
        """One number."""
        return bisect.bisect(self._sums, rng.random() * self._sums[-1], hi=len(self._sums) - 1)

    def draw_distinct(self, rng: random.Random, count: int) -> list[int]:
        """Distinct numbers, as many as asked for or all there are."""
        count = min(count, len(self._sums))
        chosen: dict[int, None] = {}
        while len(chosen) < count:
            chosen[self.draw(rng)] = None
        return list(chosen)


@dataclass(frozen=True, slots=True)
class Population:
    """Who may come, and what there is to see."""

    users: Zipf
    items: Zipf


@dataclass(frozen=True, slots=True)
class Ask:
    """The session asks for a ranking."""

    user: str
    candidates: tuple[str, ...] | None
    """None: of the whole catalog."""
    after_feedback: bool
    """Whether it must see the session's own last events."""


@dataclass(frozen=True, slots=True)
class Tell:
    """The session says what its user did: pairs of an item that was shown and a signal."""

    user: str
    events: tuple[tuple[str, str], ...]


Step = Ask | Tell
Session = Generator[Step, Sequence[str], None]
"""Yields steps; after an `Ask` it wants the ids that were shown."""


def session(rng: random.Random, population: Population) -> Session:
    """One user's visit: a ranking, some feedback, and so on, with a ranking last."""
    user = user_id(population.users.draw(rng))
    candidates: tuple[str, ...] | None = None
    if rng.random() < 0.5:
        candidates = tuple(map(item_id, population.items.draw_distinct(rng, CANDIDATES)))
    shown = yield Ask(user, candidates, after_feedback=False)
    for _ in range(rng.randint(1, MOST_ROUNDS)):
        if not shown:
            return
        touched = rng.sample(list(shown), min(len(shown), rng.randint(1, MOST_EVENTS)))
        signals = rng.choices(SIGNALS, _SIGNAL_WEIGHTS, k=len(touched))
        yield Tell(user, tuple(zip(touched, signals, strict=True)))
        shown = yield Ask(user, candidates, after_feedback=True)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Constant arrivals: one every 1 / rate seconds, dealt out to the clients in turn.

    >>> Arrivals(rate=10.0, clients=2).due_s(client=1, step=3)
    0.7
    """

    rate: float
    """Requests a second, over all clients; more than 0."""
    clients: int

    def due_s(self, client: int, step: int) -> float:
        """When a client's step is due, in seconds after the start, whatever came before it."""
        return (step * self.clients + client) / self.rate


def user_id(number: int) -> str:
    """A user's id; the lower the number, the more often the user comes."""
    return f"visitor-{number}"


def item_id(number: int) -> str:
    """An item's id; the lower the number, the more often it is a candidate."""
    return f"film-{number}"


def item_text(number: int) -> str:
    """What the encoder reads of an item; no two are the same.

    >>> item_text(9)
    'Film 9: a loud comedy about a harbour'
    """
    rest, kind = divmod(number, len(_KINDS))
    rest, mood = divmod(rest, len(_MOODS))
    thing = _THINGS[rest % len(_THINGS)]
    return f"Film {number}: a {_MOODS[mood]} {_KINDS[kind]} about {thing}"
