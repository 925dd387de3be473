"""Reserve: options with their caps and budgets, and the impressions that were reserved."""

from __future__ import annotations

from penchant.domain.reservations import (
    Budget,
    Cap,
    Pace,
    Reservations,
    ReserveOption,
    ReserveRequest,
    UnreservedReason,
)
from penchant_proto.v1 import reserve_pb2
from penchant_proto.v1.service_pb2 import Reply

DEFAULT_LAPSE_S = 60
"""Seconds until a reservation lapses, for a request that states none."""

_REASON = {
    UnreservedReason.CAPPED: reserve_pb2.Unreserved.REASON_CAPPED,
    UnreservedReason.BUDGET: reserve_pb2.Unreserved.REASON_BUDGET,
    UnreservedReason.PACE: reserve_pb2.Unreserved.REASON_BUDGET,
}


def reserve_request(message: reserve_pb2.ReserveRequest) -> ReserveRequest:
    """A reserve request."""
    return ReserveRequest(
        user=message.user,
        recommendation_id=message.recommendation_id,
        options=tuple([_option(option) for option in message.options]),
        n=message.n,
        lapse_s=message.lapse_s or DEFAULT_LAPSE_S,
        as_of_us=message.as_of_us if message.HasField("as_of_us") else None,
    )


def _option(message: reserve_pb2.ReserveOption) -> ReserveOption:
    caps = tuple([Cap(cap.key, cap.limit, cap.window_s) for cap in message.caps])
    if not message.HasField("budget"):
        return ReserveOption(message.item, caps)
    budget = message.budget
    pace = None
    if budget.HasField("pace"):
        given = budget.pace
        pace = Pace(given.window_s, given.window_micros, given.total_micros, given.left_s)
    return ReserveOption(
        message.item, caps, Budget(budget.key, budget.cost_micros, budget.allowed_micros, pace)
    )


def reserve_reply(reservations: Reservations) -> Reply:
    """The reserved impressions, and the options that caps or budgets forbid."""
    reply = Reply()
    reply.reserve.SetInParent()
    for reservation in reservations.reserved:
        reply.reserve.reserved.add(item=reservation.item, lapses_at_us=reservation.lapses_at_us)
    for refused in reservations.refused:
        reply.reserve.refused.add(item=refused.item, reason=_REASON[refused.reason])
    return reply
