"""Events and contexts, as feedback sends them and as an export returns them."""

from __future__ import annotations

import dataclasses

from penchant.domain.types import Context, Event, Exposure
from penchant_proto.v1 import event_pb2, rank_pb2


def context_of(message: rank_pb2.RankRequest | event_pb2.Event) -> Context:
    """The context of a ranking or an event, sorted by key."""
    return tuple(sorted(message.context.items())) if message.context else ()


def event_of(message: event_pb2.Event, now_us: int) -> Event:
    """An event; `now_us` is the time of one that states none, in microseconds since 1970."""
    return Event(
        event_id=message.event_id,
        user=message.user,
        item=message.item,
        signal=message.signal,
        value=message.value if message.HasField("value") else None,
        occurred_at_us=message.occurred_at_us if message.HasField("occurred_at_us") else now_us,
        recommendation_id=message.recommendation_id,
        context=context_of(message),
        exposure=_exposure_of(message.exposure) if message.HasField("exposure") else None,
    )


def event_message(event: Event) -> event_pb2.Event:
    """The inverse of `event_of`."""
    exposure = event.exposure
    return event_pb2.Event(
        event_id=event.event_id,
        user=event.user,
        item=event.item,
        signal=event.signal,
        value=event.value,
        occurred_at_us=event.occurred_at_us,
        recommendation_id=event.recommendation_id,
        context=dict(event.context),
        exposure=event_pb2.Exposure(**dataclasses.asdict(exposure)) if exposure else None,
    )


def _exposure_of(message: event_pb2.Exposure) -> Exposure:
    return Exposure(
        message.position, message.propensity, message.propensity_estimated, message.score
    )
