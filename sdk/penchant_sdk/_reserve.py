"""The verb `reserve` as a plan; see `penchant_sdk._calls`.

>>> from penchant_sdk.reservations import Cap, ReserveOption
>>> plan = reserve("u42", "r1", [ReserveOption("ad", [Cap("campaign", 3, 3600)])], n=1)
>>> next(plan).model
'penchant_feedback'
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from penchant_proto.v1 import reserve_pb2, service_pb2
from penchant_sdk._calls import Plan, request_of
from penchant_sdk.errors import InvalidRequest, ServerError
from penchant_sdk.reservations import (
    Reservation,
    Reservations,
    ReserveOption,
    Unreserved,
    UnreservedReason,
)
from penchant_sdk.types import from_microseconds, to_microseconds

LAPSE_S = 60

_REASON = {
    reserve_pb2.Unreserved.REASON_CAPPED: UnreservedReason.CAPPED,
    reserve_pb2.Unreserved.REASON_BUDGET: UnreservedReason.BUDGET,
}


def reserve(
    user: str,
    recommendation_id: str,
    options: Sequence[ReserveOption],
    n: int,
    *,
    lapse_s: int = LAPSE_S,
    as_of: datetime | float | None = None,
) -> Plan[Reservations]:
    """See `Penchant.reserve`."""
    if lapse_s < 1:  # Which on the wire is the default.
        raise InvalidRequest(f"lapse_s: got {lapse_s}, expected 1 to 3600")
    call = service_pb2.Call()
    request = call.reserve
    request.user = user
    request.recommendation_id = recommendation_id
    request.options.extend([_option(option) for option in options])
    request.n = n
    request.lapse_s = lapse_s
    if as_of is not None:
        request.as_of_us = to_microseconds(as_of, "as_of")
    reply = yield request_of("reserve", call)
    return Reservations(
        reserved=tuple(
            Reservation(one.item, from_microseconds(one.lapses_at_us))
            for one in reply.reserve.reserved
        ),
        refused=tuple(Unreserved(one.item, _reason(one.reason)) for one in reply.reserve.refused),
    )


def _option(option: ReserveOption) -> reserve_pb2.ReserveOption:
    message = reserve_pb2.ReserveOption(item=option.item)
    for cap in option.caps:
        message.caps.add(key=cap.key, limit=cap.limit, window_s=cap.window_s)
    budget = option.budget
    if budget is not None:
        message.budget.key = budget.key
        message.budget.cost_micros = budget.cost_micros
        message.budget.allowed_micros = budget.allowed_micros
    return message


def _reason(reason: reserve_pb2.Unreserved.Reason) -> UnreservedReason:
    try:
        return _REASON[reason]
    except KeyError:
        # A newer server: better no answer than a wrong one.
        raise ServerError(f"the reply holds the reason {reason}, unknown here") from None
