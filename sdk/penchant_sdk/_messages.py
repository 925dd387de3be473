"""Converts the SDK's arguments to the contract's messages; refuses a wrong field by its name.

`name` is the place of the argument in the caller's call, such as `items[3]`.
"""

from __future__ import annotations

from penchant_proto.v1 import event_pb2, item_pb2, rank_pb2, reserve_pb2
from penchant_sdk._arguments import (
    UINT32_MAX,
    instance,
    listed,
    real,
    shown,
    text,
    texts_by_key,
    whole,
)
from penchant_sdk.errors import InvalidEvent, InvalidRequest
from penchant_sdk.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant_sdk.reservations import Budget, Cap, Pace, ReserveOption
from penchant_sdk.types import Event, Exposure, Item


def item(name: str, item: Item) -> item_pb2.Item:
    """An item; raises InvalidRequest."""
    item = instance(name, item, Item)
    return item_pb2.Item(
        id=text(f"{name}.id", item.id),
        text=text(f"{name}.text", item.text),
        attributes=texts_by_key(f"{name}.attributes", item.attributes),
    )


def event(name: str, event: Event) -> event_pb2.Event:
    """An event; raises InvalidEvent."""
    error = InvalidEvent
    event = instance(name, event, Event, error)
    value = None if event.value is None else real(f"{name}.value", event.value, error)
    return event_pb2.Event(
        # `Event` has checked these texts; nobody can change them.
        event_id=event.event_id,
        user=event.user,
        item=event.item,
        signal=event.signal,
        value=value,
        occurred_at_us=event.occurred_at_us,
        recommendation_id=event.recommendation_id,
        context=texts_by_key(f"{name}.context", event.context, error) if event.context else None,
        exposure=_exposure(event.exposure),
    )


def _exposure(exposure: Exposure | None) -> event_pb2.Exposure | None:
    if exposure is None:
        return None
    return event_pb2.Exposure(
        position=exposure.position,
        propensity=exposure.propensity,
        propensity_estimated=bool(exposure.propensity_estimated),
        score=exposure.score,
    )


def option(name: str, option: ReserveOption) -> reserve_pb2.ReserveOption:
    """An option of a reservation; raises InvalidRequest."""
    option = instance(name, option, ReserveOption)
    message = reserve_pb2.ReserveOption(item=text(f"{name}.item", option.item))
    caps: list[Cap] = listed(f"{name}.caps", option.caps, "Caps")
    for place, cap in enumerate(caps):
        within = f"{name}.caps[{place}]"
        cap = instance(within, cap, Cap)
        message.caps.add(
            key=text(f"{within}.key", cap.key),
            limit=whole(f"{within}.limit", cap.limit, most=UINT32_MAX),
            window_s=whole(f"{within}.window_s", cap.window_s),
        )
    if option.budget is not None:
        within = f"{name}.budget"
        budget = instance(within, option.budget, Budget)
        message.budget.key = text(f"{within}.key", budget.key)
        message.budget.cost_micros = whole(f"{within}.cost_micros", budget.cost_micros)
        allowed = whole(f"{within}.allowed_micros", budget.allowed_micros)
        message.budget.allowed_micros = allowed
        if budget.pace is not None:
            _fill_pace(message.budget.pace, f"{within}.pace", budget.pace)
    return message


def _fill_pace(message: reserve_pb2.Pace, name: str, given: object) -> None:
    pace = instance(name, given, Pace)
    message.window_s = whole(f"{name}.window_s", pace.window_s, most=UINT32_MAX)
    message.window_micros = whole(f"{name}.window_micros", pace.window_micros)
    message.total_micros = whole(f"{name}.total_micros", pace.total_micros)
    message.left_s = whole(f"{name}.left_s", pace.left_s)


def explore(message: rank_pb2.Exploration, policy: Exploration, seed: int | None) -> None:
    """Writes a policy and its seed into a message; raises InvalidRequest."""
    match policy:
        case PlackettLuce(temperature):
            message.plackett_luce.temperature = temperature
        case EpsilonGreedy(epsilon):
            message.epsilon_greedy.epsilon = epsilon
            message.epsilon_greedy.SetInParent()  # Also sets the policy where epsilon is 0.
        case Thompson(scale):
            message.thompson.scale = scale
        case _:
            raise InvalidRequest(
                f"explore: got {shown(policy)}, expected PlackettLuce, EpsilonGreedy or Thompson"
            )
    if seed is not None:
        message.seed = whole("seed", seed)
