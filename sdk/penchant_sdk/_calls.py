"""Each verb as a plan: the requests to send, one after the other, and what the replies mean.

A plan is a generator without I/O: it yields a `Request`, is sent the `Reply`, and returns the
verb's result. The sync and the async client drive the same plans, so a verb is written once.

    >>> plan = rank("u42", k=2)
    >>> next(plan).model
    'penchant_rank'
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from penchant_proto.methods import METHODS
from penchant_proto.v1 import embed_pb2, event_pb2, rank_pb2, service_pb2
from penchant_sdk import _replies
from penchant_sdk.errors import InvalidRequest, PenchantError
from penchant_sdk.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant_sdk.records import (
    DeleteItemsResult,
    Embeddings,
    GetItemsResult,
    LoggedEvent,
    PutItemsResult,
    UserExport,
    UserState,
)
from penchant_sdk.types import (
    Event,
    EventResult,
    Exposure,
    FeedbackAck,
    Item,
    Ranking,
    to_microseconds,
)

ITEMS_PER_PUT = 256
"""Fewer than the contract's 1,000: the texts of a call must encode well inside its deadline."""
EVENTS_PER_CALL = 1_000
IDS_PER_CALL = 1_000
TEXTS_PER_CALL = 256
ROWS_PER_PAGE = 1_000
_UINT32_MAX = 2**32 - 1

T = TypeVar("T")
_Element = TypeVar("_Element")


@dataclass(frozen=True, slots=True)
class Request:
    """One call on the wire, encoded once: a retry sends the same bytes."""

    verb: str
    """The field of `Call` and of `Reply`."""
    model: str
    """The Triton model that answers."""
    payload: bytes
    """A serialized `Call`."""


Plan = Generator[Request, service_pb2.Reply, T]


def first_request(plan: Plan[T]) -> Request:
    """Starts a plan; raises InvalidRequest for what the protocol can't carry."""
    try:
        return next(plan)
    except PenchantError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        # Protobuf's own checks: a number for a text, a lone surrogate, a value over 64 bits.
        raise InvalidRequest(f"an argument is of a wrong type or range: {error}") from error


def request_of(verb: str, call: service_pb2.Call) -> Request:
    """A call to the model that answers it."""
    return Request(verb, METHODS[verb].model, call.SerializeToString())


def rank(
    user: str,
    *,
    k: int,
    candidates: Iterable[str] | None = None,
    query: str = "",
    context: Mapping[str, str] | None = None,
    exclude_seen: bool = False,
    min_state_version: int = 0,
    explain: bool = False,
    as_of: datetime | float | None = None,
    explore: Exploration | None = None,
    seed: int | None = None,
    diversity: float = 0.0,
    exclude_owned: bool = False,
) -> Plan[Ranking]:
    """See `Penchant.rank`."""
    if not 1 <= k <= _UINT32_MAX:
        raise InvalidRequest(f"k: got {k}, expected 1 or more")
    call = service_pb2.Call()
    request = call.rank
    request.user = _text("user", user)
    request.k = k
    if candidates is not None:
        request.candidates.ids.extend(_list("candidates", candidates))
        request.candidates.SetInParent()  # An empty list is not the same as none.
    request.query = query
    if context:
        request.context.update(context)
    request.exclude_seen = exclude_seen
    request.min_state_version = min_state_version
    request.explain = explain
    if as_of is not None:
        request.as_of_us = to_microseconds(as_of, "as_of")
    if explore is not None:
        _explore(request.explore, explore, seed)
    elif seed is not None:
        raise InvalidRequest("seed: got one without explore, expected both or neither")
    request.diversity = diversity
    request.exclude_owned = exclude_owned
    reply = yield request_of("rank", call)
    return _replies.ranking(reply.rank)


def _explore(message: rank_pb2.Exploration, policy: Exploration, seed: int | None) -> None:
    match policy:
        case PlackettLuce(temperature):
            message.plackett_luce.temperature = temperature
        case EpsilonGreedy(epsilon):
            message.epsilon_greedy.epsilon = epsilon
            message.epsilon_greedy.SetInParent()  # An epsilon of 0 is a policy, too.
        case Thompson(scale):
            message.thompson.scale = scale
        case _:
            raise InvalidRequest(
                f"explore: got {policy!r}, expected PlackettLuce, EpsilonGreedy or Thompson"
            )
    if seed is not None:
        message.seed = seed


def feedback(events: Iterable[Event]) -> Plan[FeedbackAck]:
    """See `Penchant.feedback`."""
    results: list[EventResult] = []
    for chunk in _chunks(_some("events", events), EVENTS_PER_CALL):
        call = service_pb2.Call()
        call.feedback.events.extend([_event(event) for event in chunk])
        reply = yield request_of("feedback", call)
        results += _replies.event_results(chunk, reply.feedback)
    return FeedbackAck(tuple(results))


def _event(event: Event) -> event_pb2.Event:
    return event_pb2.Event(
        event_id=event.event_id,
        user=event.user,
        item=event.item,
        signal=event.signal,
        value=event.value,
        occurred_at_us=event.occurred_at_us,
        recommendation_id=event.recommendation_id,
        context=event.context,
        exposure=_exposure(event.exposure),
    )


def _exposure(exposure: Exposure | None) -> event_pb2.Exposure | None:
    if exposure is None:
        return None
    return event_pb2.Exposure(
        position=exposure.position,
        propensity=exposure.propensity,
        propensity_estimated=exposure.propensity_estimated,
        score=exposure.score,
    )


def put_items(items: Iterable[Item]) -> Plan[PutItemsResult]:
    """See `Penchant.put_items`."""
    listed = _some("items", items)
    ids: set[str] = set()
    for item in listed:
        if item.id in ids:
            # The server sees one call at a time: across two, the later item would win unnoticed.
            raise InvalidRequest(f"items: got the id {item.id!r} twice, expected distinct ids")
        ids.add(_text("id", item.id))
        _text("text", item.text)
    replies = []
    for chunk in _chunks(listed, ITEMS_PER_PUT):
        call = service_pb2.Call()
        for item in chunk:
            call.put_items.items.add(id=item.id, text=item.text, attributes=item.attributes)
        reply = yield request_of("put_items", call)
        replies.append(reply.put_items)
    return _replies.put_items(replies)


def delete_items(ids: Iterable[str]) -> Plan[DeleteItemsResult]:
    """See `Penchant.delete_items`."""
    replies = []
    for chunk in _chunks(_some("ids", ids), IDS_PER_CALL):
        call = service_pb2.Call()
        call.delete_items.ids.extend(chunk)
        reply = yield request_of("delete_items", call)
        replies.append(reply.delete_items)
    return _replies.delete_items(replies)


def get_items(ids: Iterable[str]) -> Plan[GetItemsResult]:
    """See `Penchant.get_items`."""
    replies = []
    for chunk in _chunks(_some("ids", ids), IDS_PER_CALL):
        call = service_pb2.Call()
        call.get_items.ids.extend(chunk)
        reply = yield request_of("get_items", call)
        replies.append(reply.get_items)
    return _replies.get_items(replies)


def user(user: str) -> Plan[UserState]:
    """See `Penchant.user`."""
    call = service_pb2.Call()
    call.get_user.user = _text("user", user)
    reply = yield request_of("get_user", call)
    return _replies.user_state(reply.get_user)


def export_user(user_id: str) -> Plan[UserExport]:
    """See `Penchant.export_user`."""
    rows: list[LoggedEvent] = []
    call = service_pb2.Call()
    call.export_user.user = _text("user", user_id)
    call.export_user.limit = ROWS_PER_PAGE
    while True:
        reply = yield request_of("export_user", call)
        rows += _replies.logged_events(reply.export_user.events)
        if not reply.export_user.next_after_version:
            break
        call.export_user.after_version = reply.export_user.next_after_version
    # The record last: it then holds at least the events of the log.
    state = yield from user(user_id)
    return UserExport(state, tuple(rows))


def forget_user(user: str) -> Plan[int]:
    """See `Penchant.forget_user`."""
    call = service_pb2.Call()
    call.forget_user.user = _text("user", user)
    reply = yield request_of("forget_user", call)
    return int(reply.forget_user.deleted_events)


def embed(texts: Iterable[str], encoder_version: str) -> Plan[Embeddings]:
    """See `Penchant.embed`."""
    replies: list[embed_pb2.EmbedReply] = []
    for chunk in _chunks(_some("texts", texts), TEXTS_PER_CALL):
        call = service_pb2.Call()
        call.embed.texts.extend(chunk)
        # A release may be published meanwhile: all of the vectors are one encoder's.
        call.embed.encoder_version = replies[0].encoder_version if replies else encoder_version
        reply = yield request_of("embed", call)
        replies.append(reply.embed)
    return _replies.embeddings(replies)


def _text(name: str, value: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{name}: got {value!r}, expected text of 1 byte or more")
    return value


def _list(name: str, values: Iterable[_Element]) -> list[_Element]:
    if isinstance(values, str):
        # A text is a sequence of texts too: its letters would be taken for ids.
        raise InvalidRequest(f"{name}: got the text {values!r}, expected a list of texts")
    return list(values)


def _some(name: str, values: Iterable[_Element]) -> list[_Element]:
    listed = _list(name, values)
    if not listed:
        raise InvalidRequest(f"{name}: got none, expected 1 or more")
    return listed


def _chunks(values: Sequence[_Element], size: int) -> Iterable[Sequence[_Element]]:
    return (values[start : start + size] for start in range(0, len(values), size))
