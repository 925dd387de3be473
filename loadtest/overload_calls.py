"""The kinds of calls that overload a server, and the small calls of others beside them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from loadtest.traffic import item_id
from penchant_proto.v1.feedback_pb2 import EventResult
from penchant_sdk import Event
from penchant_sdk._operations import EncodedCall, Operation, first_call, sent_events
from penchant_sdk.aio import AsyncPenchant

EVENTS_OF_A_BULK_CALL = 300
"""Each of a new user: the most that such a call can cost."""
EXPLAINED = 200
"""Items of an explained ranking."""

SendCall = Callable[[AsyncPenchant, int], Awaitable[object]]
"""Sends one call; the number makes it different from all others."""


@dataclass(frozen=True, slots=True)
class CallKind:
    """One kind of call."""

    name: str
    send: SendCall
    clients: tuple[int, ...]
    """Calls under way at a time while its capacity is looked for, least first."""
    beside: tuple[str, ...]
    """Small calls of others that it must not slow down."""


async def _rank(client: AsyncPenchant, number: int) -> None:
    await client.rank(f"visitor-{number % 997}")


async def _query(client: AsyncPenchant, number: int) -> None:
    text = f"film {number}, a long and quiet tale of the sea that nobody has asked for before"
    await client.rank(f"visitor-{number % 997}", query=text)


async def _explained(client: AsyncPenchant, number: int) -> None:
    await client.rank("reader", k=EXPLAINED, explain=True)


async def _feedback(client: AsyncPenchant, number: int) -> None:
    event = Event(user=f"visitor-{number % 997}", item=item_id(number % 100), signal="like")
    (await client.feedback([event])).raise_for_refused()


async def _bulk(client: AsyncPenchant, number: int) -> None:
    await client.run(_encoded(bulk_call(number)))


def bulk_call(number: int) -> EncodedCall:
    """Feedback of 300 new users, made from bytes that are encoded once.

    To make the events, to encode them and to read their results takes this program as long as the
    server needs to refuse ten such calls, and it would not be able to send as many as it should.
    """
    call = _bulk_template()
    digits = f"{number:0{len(_PLACE)}d}".encode()
    return dataclasses.replace(call, payload=call.payload.replace(_PLACE, digits))


_PLACE = b"%" * 15
"""Stands for the number of a call; as long as the largest one."""


@functools.cache
def _bulk_template() -> EncodedCall:
    name = _PLACE.decode()
    events = [
        Event(f"new-{name}-{place}", item_id(place % 100), "like", event_id=f"{name}-{place}")
        for place in range(EVENTS_OF_A_BULK_CALL)
    ]
    return first_call(sent_events(events))


def _encoded(call: EncodedCall) -> Operation[None]:
    reply = yield call
    accepted = [one.status for one in reply.feedback.results].count(EventResult.STATUS_ACCEPTED)
    assert accepted == EVENTS_OF_A_BULK_CALL


async def prepare(client: AsyncPenchant) -> None:
    """Gives the reader of explained rankings a past to explain them by."""
    events = [Event(user="reader", item=item_id(n % 200), signal="like") for n in range(300)]
    await client.feedback(events, timeout_s=60.0)


KINDS = {
    kind.name: kind
    for kind in (
        CallKind("rank with query", _query, (4, 16), ("rank", "feedback")),
        CallKind("explained rank", _explained, (2, 8), ("rank", "feedback")),
        CallKind("bulk feedback", _bulk, (1, 3), ("rank", "feedback")),
        CallKind("rank", _rank, (4, 16, 48), ("feedback",)),
        CallKind("feedback", _feedback, (4, 16, 48), ("rank",)),
    )
}
"""Every kind that the shape `overload` can put on a server, one after another."""
USUAL_KINDS = ("rank with query", "explained rank", "bulk feedback")
"""Those of which a program in Python can send three times as many as a server can answer."""


class Numbers:
    """Numbers that no call has had before."""

    def __init__(self, first: int = 0) -> None:
        self._next = itertools.count(first)

    def take(self) -> int:
        """The next number."""
        return next(self._next)
