"""How the fake server ranks: hashed bags of words and a sum over events. Plain, not clever.

It has the shape of the real thing (offset + slow + fast + query, linear in the events), not its
numbers: a like lifts what shares words with the liked item.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from penchant_proto.v1 import event_pb2, rank_pb2
from penchant_sdk._fake_signals import IMPRESSIONS, SIGNALS, VALUED
from penchant_sdk.errors import InvalidEvent

DIMENSIONS = 64
FAST_EVENTS = 3
"""How many of the latest likes make the fast interest."""
EXPLAINED_EVENTS = 5
_SLOW, _FAST, _QUERY, _OFFSET = 0.3, 0.2, 0.5, 0.05

Vector = list[float]


@dataclass(frozen=True, slots=True)
class Weighed:
    """An event with what the signal table makes of it."""

    event: event_pb2.Event
    reward: float
    weight: float


def embed(text: str) -> Vector:
    """A unit vector of the text's words, the same in every process.

    >>> abs(dot(embed("toy story"), embed("story, toy")) - 1) < 1e-9
    True
    """
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = blake2b(word.encode(), digest_size=4).digest()
        vector[digest[0] % DIMENSIONS] += 1.0 if digest[1] % 2 else -1.0
    norm = math.sqrt(dot(vector, vector))
    if norm == 0.0:  # Words that cancel out.
        return [1.0] + [0.0] * (DIMENSIONS - 1)
    return [value / norm for value in vector]


def dot(left: Vector, right: Vector) -> float:
    """The inner product."""
    return sum(map(float.__mul__, left, right))


def weigh(event: event_pb2.Event) -> Weighed:
    """What an event is worth; raises InvalidEvent for a signal that the table does not hold."""
    if event.signal not in SIGNALS:
        known = ", ".join(sorted(SIGNALS))
        raise InvalidEvent(f"signal: got {event.signal[:64]!r}, expected one of: {known}")
    reward, weight = SIGNALS[event.signal]
    if event.signal in VALUED:
        if not event.HasField("value"):
            raise InvalidEvent(
                f"value: missing, expected a number with the signal {event.signal!r}"
            )
        neutral, scale = VALUED[event.signal]
        reward = max(-1.0, min(1.0, (event.value - neutral) / scale))
    return Weighed(event, reward, weight)


class Taste:
    """One user's interest: a vector for each event, added up."""

    def __init__(self, window: Sequence[Weighed], vectors: dict[str, Vector]) -> None:
        # The real server counts an impression once it went unanswered for long; this one never.
        heard = [
            one
            for one in window
            if one.event.item in vectors and one.event.signal not in IMPRESSIONS
        ]
        likes = [one for one in heard if one.reward > 0][-FAST_EVENTS:]
        liked = {one.event.event_id for one in likes}
        self._events = [
            (
                one.event,
                vectors[one.event.item],
                _SLOW * one.weight * one.reward,
                _FAST / len(likes) if one.event.event_id in liked else 0.0,
            )
            for one in heard
        ]
        self.slow = _total((vector, slow) for _, vector, slow, _ in self._events)
        self.fast = _total((vector, fast) for _, vector, _, fast in self._events)

    def explain(
        self, vector: Vector, positives: float, query: Vector | None
    ) -> rank_pb2.Explanation:
        """The parts of an item's score and the events that weigh most."""
        shares = [
            rank_pb2.Contribution(
                event_id=event.event_id,
                item=event.item,
                signal=event.signal,
                occurred_at_us=event.occurred_at_us,
                share=(slow + fast) * dot(its_vector, vector),
            )
            for event, its_vector, slow, fast in self._events
        ]
        shares.sort(key=lambda part: -abs(part.share))
        return rank_pb2.Explanation(
            offset=_OFFSET * math.log1p(positives),
            slow=dot(self.slow, vector),
            fast=dot(self.fast, vector),
            query=0.0 if query is None else _QUERY * dot(query, vector),
            contributions=shares[:EXPLAINED_EVENTS],
        )

    def score(self, vector: Vector, positives: float, query: Vector | None) -> float:
        """The item's score: the sum of the parts that `explain` names."""
        score = _OFFSET * math.log1p(positives) + dot(self.slow, vector) + dot(self.fast, vector)
        return score if query is None else score + _QUERY * dot(query, vector)


def _total(parts: Iterable[tuple[Vector, float]]) -> Vector:
    total = [0.0] * DIMENSIONS
    for vector, factor in parts:
        total = [have + factor * value for have, value in zip(total, vector, strict=True)]
    return total
