"""The contract's limits, as the fake server judges them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from penchant_proto.v1 import event_pb2, item_pb2, rank_pb2
from penchant_sdk.errors import InvalidEvent, InvalidRequest, PenchantError

FUTURE_US = 300 * 1_000_000
"""How far ahead of the server's clock an event may be."""


def check_id(
    name: str, value: str, most: int = 256, error: type[PenchantError] = InvalidRequest
) -> None:
    """Raises the error unless the text has 1 to `most` bytes."""
    size = len(value.encode())
    if not 1 <= size <= most:
        raise error(f"{name}: got {size} bytes, expected 1 to {most}")


def check_count(name: str, values: Collection[object], most: int, least: int = 1) -> None:
    """Raises InvalidRequest unless there are `least` to `most` values."""
    if not least <= len(values) <= most:
        raise InvalidRequest(f"{name}: got {len(values)}, expected {least} to {most}")


def check_ids(name: str, ids: Sequence[str], most: int, least: int = 1) -> None:
    """Raises InvalidRequest unless there are `least` to `most` distinct, valid ids."""
    check_count(name, ids, most, least)
    for value in ids:
        check_id(name, value)
    if len(set(ids)) < len(ids):
        raise InvalidRequest(f"{name}: got an id twice, expected each once")


def check_texts(texts: Sequence[str]) -> None:
    """Raises InvalidRequest unless there are 1 to 256 texts that can be encoded."""
    check_count("texts", texts, 256)
    for text in texts:
        check_id("text", text, 8192)


def check_rank(request: rank_pb2.RankRequest) -> None:
    """Raises InvalidRequest where a rank request breaks the contract."""
    check_id("user", request.user)
    if not 1 <= request.k <= 1000:
        raise InvalidRequest(f"k: got {request.k}, expected 1 to 1000")
    check_ids("candidates", request.candidates.ids, 5000, least=0)
    if request.query:
        check_id("query", request.query, 2048)
    check_context(request.context, InvalidRequest)
    if not 0 <= request.diversity <= 1:
        raise InvalidRequest(f"diversity: got {request.diversity}, expected 0 to 1")
    if request.HasField("explore") and request.diversity:
        raise InvalidRequest("diversity: got one together with explore, expected one of the two")
    if request.HasField("explore") and request.explore.WhichOneof("policy") is None:
        raise InvalidRequest("explore: got no policy, expected one")


def check_context(context: Mapping[str, str], error: type[PenchantError]) -> None:
    """Raises the error unless there are at most 32 entries, of at most 128 bytes."""
    if len(context) > 32:
        raise error(f"context: got {len(context)}, expected 0 to 32")
    if any(max(len(key.encode()), len(value.encode())) > 128 for key, value in context.items()):
        raise error("context: expected keys and values of at most 128 bytes")


def check_items(items: Sequence[item_pb2.Item]) -> None:
    """Raises InvalidRequest where one of the items breaks the contract."""
    check_ids("items", [item.id for item in items], 1000)
    for item in items:
        check_id("text", item.text, 8192)
        check_count("attributes", item.attributes, 64, least=0)
        for key, value in item.attributes.items():
            check_id("attributes", key, 128)
            if len(value.encode()) > 1024:
                raise InvalidRequest(f"attributes[{key!r}]: expected at most 1024 bytes")


def check_event(event: event_pb2.Event, now_us: int) -> None:
    """Raises InvalidEvent where an event breaks the contract, its signal and item aside."""
    check_id("event_id", event.event_id, 128, InvalidEvent)
    check_id("user", event.user, 256, InvalidEvent)
    if event.recommendation_id:
        check_id("recommendation_id", event.recommendation_id, 64, InvalidEvent)
    check_context(event.context, InvalidEvent)
    if not 0 <= event.exposure.propensity <= 1 or not math.isfinite(event.exposure.score):
        raise InvalidEvent("exposure: expected a propensity of 0 to 1 and a finite score")
    if not math.isfinite(event.value):
        raise InvalidEvent(f"value: got {event.value}, expected a finite number")
    if not 0 <= event.occurred_at_us <= now_us + FUTURE_US:
        raise InvalidEvent(
            f"occurred_at_us: got {event.occurred_at_us}, expected microseconds since 1970, "
            f"at most 300 s ahead of the server's clock ({now_us})"
        )
