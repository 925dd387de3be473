"""The calls of a capacity measurement, serialized before the clock starts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from penchant.launch.probe import request_of
from penchant_proto.methods import METHODS
from penchant_proto.v1 import event_pb2, feedback_pb2, rank_pb2
from penchant_proto.v1.service_pb2 import Call

RANK, FEEDBACK = "rank", "feedback"
_POOL = 2000
"""Different rankings of a level; they repeat. Every feedback is different, as its event is new."""


@dataclass(frozen=True, slots=True)
class CallMix:
    """Which calls, for whom, about what."""

    users: Sequence[str]
    """Users who ask, each as often as another."""
    items: Sequence[str]
    """Items of events and of candidates."""
    feedback_share: float
    """Share of the calls that report an event; the others rank. 0 to 1."""
    candidates: int = 0
    """Candidates of a ranking; 0: the whole catalog."""
    k: int = 10
    """Items that a ranking returns."""


def bodies(mix: CallMix, count: int, seed: str) -> list[tuple[str, bytes]]:
    """Calls as pairs of verb and serialized `ModelInferRequest`, in the order of sending.

    Args:
        mix: what to call.
        count: number of calls.
        seed: another seed gives other users and other event ids.
    """
    rng = random.Random(seed)
    rankings = [_rank(mix, rng) for _ in range(min(count, _POOL))]
    calls = []
    for number in range(count):
        if rng.random() < mix.feedback_share:
            calls.append((FEEDBACK, _feedback(mix, rng)))
        else:
            calls.append((RANK, rankings[number % len(rankings)]))
    return calls


def serialized(call: Call) -> bytes:
    """A call as the bytes of the request to Triton that carries it."""
    model = METHODS[call.WhichOneof("method") or ""].model
    return request_of(model, call).SerializeToString()


def _rank(mix: CallMix, rng: random.Random) -> bytes:
    request = rank_pb2.RankRequest(user=rng.choice(mix.users), k=min(mix.k, len(mix.items)))
    if mix.candidates:
        chosen = rng.sample(mix.items, min(mix.candidates, len(mix.items)))
        request.candidates.ids.extend(chosen)
    return serialized(Call(rank=request))


def _feedback(mix: CallMix, rng: random.Random) -> bytes:
    event = event_pb2.Event(
        event_id=f"{rng.getrandbits(128):032x}",
        user=rng.choice(mix.users),
        item=rng.choice(mix.items),
        signal="like",
    )
    return serialized(Call(feedback=feedback_pb2.FeedbackRequest(events=[event])))
