"""Serialized requests, made before the clock starts, so that only the server is measured."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.floor_models import FloorModel
from benchmarks.prepare import item_id, user_id
from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.methods import METHODS, REQUEST_TENSOR
from penchant_proto.v1 import event_pb2, feedback_pb2, rank_pb2
from penchant_proto.v1.feedback_pb2 import EventResult
from penchant_proto.v1.service_pb2 import Call, Reply

_POOL = 1000
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class CallRecipe:
    """A kind of call, sent to the client's process, which makes the requests."""

    verb: str
    """floor, rank, search or feedback."""
    model: str
    """Name of the model to call."""
    users: int = 0
    """Number of users in the store; ranks use the even ones, feedback the odd ones."""
    items: int = 0
    """Number of items in the catalog."""
    candidates: int = 0
    """Number of candidates of a rank; 0 means the whole catalog."""
    k: int = 10
    as_of_us: int | None = None
    """Time of a rank in epoch microseconds, at which the users' cached folds are current."""
    datatype: str = "BYTES"
    """Data type of the request tensor: FP32 or BYTES."""
    first_user: int = 0
    """Number of the first user that a rank asks for, an even one."""


def floor(model: FloorModel) -> CallRecipe:
    """Calls of a no-op model."""
    return CallRecipe("floor", model.name, datatype=model.datatype)


def bodies(recipe: CallRecipe, count: int, seed: int) -> list[bytes]:
    """Serialized `ModelInferRequest` messages.

    Every feedback request is different, because its event must be new; other requests repeat from a
    pool of 1,000. Another seed gives other users and other event ids.
    """
    rng = random.Random(seed)
    make = _MAKERS[recipe.verb]
    if recipe.verb == "feedback":
        return [make(recipe, rng) for _ in range(count)]
    pool = [make(recipe, rng) for _ in range(min(count, _POOL))]
    return (pool * (count // len(pool) + 1))[:count]


def check(recipe: CallRecipe, answer: bytes) -> None:
    """Checks the reply to a call.

    Raises:
        ValueError: the reply is not the one expected from a healthy, warm server.
    """
    raw = kserve_pb2.ModelInferResponse.FromString(answer).raw_output_contents[0]
    if recipe.verb == "floor":
        return
    reply = Reply.FromString(raw[4:])
    if recipe.verb == "feedback":
        (result,) = reply.feedback.results
        if result.status != EventResult.STATUS_ACCEPTED:
            raise ValueError(f"feedback: got {result}, expected an accepted event")
    elif len(reply.rank.items) != recipe.k or reply.rank.cold_start:
        raise ValueError(f"rank: got {len(reply.rank.items)} items, expected {recipe.k}, warm")


def _floor(recipe: CallRecipe, rng: random.Random) -> bytes:
    if recipe.datatype == "FP32":
        return _request(recipe, struct.pack("<f", rng.random()))
    return _request(recipe, _LENGTH.pack(4) + b"noop")


def _rank(recipe: CallRecipe, rng: random.Random) -> bytes:
    user = recipe.first_user + 2 * rng.randrange((recipe.users - recipe.first_user) // 2)
    request = rank_pb2.RankRequest(user=user_id(user), k=recipe.k)
    if recipe.as_of_us is not None:
        request.as_of_us = recipe.as_of_us
    if recipe.candidates:
        chosen = rng.sample(range(recipe.items), recipe.candidates)
        request.candidates.ids.extend(map(item_id, chosen))
    return _call(recipe, Call(rank=request))


def _feedback(recipe: CallRecipe, rng: random.Random) -> bytes:
    event = event_pb2.Event(
        event_id=f"{rng.getrandbits(128):032x}",
        user=user_id(2 * rng.randrange(recipe.users // 2) + 1),
        item=item_id(rng.randrange(recipe.items)),
        signal="like",
    )
    return _call(recipe, Call(feedback=feedback_pb2.FeedbackRequest(events=[event])))


def _call(recipe: CallRecipe, call: Call) -> bytes:
    payload = call.SerializeToString()
    return _request(recipe, _LENGTH.pack(len(payload)) + payload)


def _request(recipe: CallRecipe, raw: bytes) -> bytes:
    tensor = kserve_pb2.ModelInferRequest.InferInputTensor(
        name=REQUEST_TENSOR, datatype=recipe.datatype, shape=[1, 1]
    )
    request = kserve_pb2.ModelInferRequest(
        model_name=recipe.model, inputs=[tensor], raw_input_contents=[raw]
    )
    return request.SerializeToString()


_MAKERS: dict[str, Callable[[CallRecipe, random.Random], bytes]] = {
    "floor": _floor,
    "rank": _rank,
    "search": _rank,
    "feedback": _feedback,
}
RANK_MODEL = METHODS["rank"].model
FEEDBACK_MODEL = METHODS["feedback"].model
