"""Each verb of the SDK as an operation: the calls to send, and how to read the replies.

An operation is a generator without I/O. It yields an `EncodedCall`, receives the `Reply`, and
returns the verb's result; a call's error is raised at the `yield`. `Penchant.run` and
`AsyncPenchant.run` run the same operations, so each verb is written once.

    >>> operation = rank("u42", k=2)
    >>> next(operation).model
    'penchant_rank'
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from penchant_proto.methods import METHODS
from penchant_proto.v1 import embed_pb2, event_pb2, rank_pb2, reserve_pb2, service_pb2
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
from penchant_sdk.reservations import Reservations, ReserveOption
from penchant_sdk.types import (
    Event,
    EventResult,
    Exposure,
    FeedbackAck,
    Item,
    Ranking,
    to_microseconds,
)

LAPSE_S = 60
"""Seconds until an unconfirmed reservation lapses, unless the caller says otherwise."""
ITEMS_PER_PUT = 256
"""Below the contract's limit of 1,000, so that a call's texts are encoded within its deadline."""
EVENTS_PER_CALL = 1_000
IDS_PER_CALL = 1_000
TEXTS_PER_CALL = 256
ROWS_PER_PAGE = 1_000
QUERY_BYTES = 2_048
_UINT32_MAX = 2**32 - 1

T = TypeVar("T")
_Element = TypeVar("_Element")


@dataclass(frozen=True, slots=True)
class EncodedCall:
    """A call to the server, serialized once, so that a retry sends the same bytes."""

    verb: str
    """Name of the method's field in `Call` and in `Reply`."""
    model: str
    """Name of the Triton model that answers."""
    payload: bytes
    """A serialized `Call`."""


Operation = Generator[EncodedCall, service_pb2.Reply, T]
"""A verb without its I/O: yields calls, receives their replies, returns the result."""


def first_call(operation: Operation[T]) -> EncodedCall:
    """Starts an operation and returns its first call.

    Raises:
        InvalidRequest: an argument has a type or a value that protobuf cannot encode.
        StopIteration: the operation needs no call; the exception's `value` is the result.
    """
    try:
        return next(operation)
    except PenchantError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        # Protobuf rejects a number in a text field, a lone surrogate, or an integer over 64 bits.
        raise InvalidRequest(f"an argument has the wrong type or range: {error}") from error


def encode_call(verb: str, call: service_pb2.Call) -> EncodedCall:
    """Serializes a call to the model that answers the verb."""
    return EncodedCall(verb, METHODS[verb].model, call.SerializeToString())


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
) -> Operation[Ranking]:
    """See `Penchant.rank`."""
    if not 1 <= k <= _UINT32_MAX:
        raise InvalidRequest(f"k: got {k}, expected 1 or more")
    call = service_pb2.Call()
    request = call.rank
    request.user = _text("user", user)
    request.k = k
    if candidates is not None:
        request.candidates.ids.extend(_list("candidates", candidates))
        request.candidates.SetInParent()  # An empty list means no candidates, not all items.
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
    reply = yield encode_call("rank", call)
    return _replies.ranking(reply.rank)


def _explore(message: rank_pb2.Exploration, policy: Exploration, seed: int | None) -> None:
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
                f"explore: got {policy!r}, expected PlackettLuce, EpsilonGreedy or Thompson"
            )
    if seed is not None:
        message.seed = seed


def feedback(events: Iterable[Event]) -> Operation[FeedbackAck]:
    """See `Penchant.feedback`."""
    results: list[EventResult] = []
    for chunk in _chunks(_some("events", events), EVENTS_PER_CALL):
        call = service_pb2.Call()
        call.feedback.events.extend([_event(event) for event in chunk])
        reply = yield encode_call("feedback", call)
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


def reserve(
    user: str,
    recommendation_id: str,
    options: Sequence[ReserveOption],
    n: int,
    *,
    lapse_s: int = LAPSE_S,
    as_of: datetime | float | None = None,
) -> Operation[Reservations]:
    """See `Penchant.reserve`."""
    if lapse_s < 1:  # On the wire, 0 stands for the server's default.
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
    reply = yield encode_call("reserve", call)
    return _replies.reservations(reply.reserve)


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


def put_items(items: Iterable[Item]) -> Operation[PutItemsResult]:
    """See `Penchant.put_items`."""
    listed = _some("items", items)
    ids: set[str] = set()
    for item in listed:
        if item.id in ids:
            # The server checks one call at a time, so across two the later item would win silently.
            raise InvalidRequest(f"items: got the id {item.id!r} twice, expected distinct ids")
        ids.add(_text("id", item.id))
        _text("text", item.text)
    replies = []
    for chunk in _chunks(listed, ITEMS_PER_PUT):
        call = service_pb2.Call()
        for item in chunk:
            call.put_items.items.add(id=item.id, text=item.text, attributes=item.attributes)
        reply = yield encode_call("put_items", call)
        replies.append(reply.put_items)
    return _replies.put_items(replies)


def delete_items(ids: Iterable[str]) -> Operation[DeleteItemsResult]:
    """See `Penchant.delete_items`."""
    replies = []
    for chunk in _chunks(_some("ids", ids), IDS_PER_CALL):
        call = service_pb2.Call()
        call.delete_items.ids.extend(chunk)
        reply = yield encode_call("delete_items", call)
        replies.append(reply.delete_items)
    return _replies.delete_items(replies)


def get_items(ids: Iterable[str]) -> Operation[GetItemsResult]:
    """See `Penchant.get_items`."""
    replies = []
    for chunk in _chunks(_some("ids", ids), IDS_PER_CALL):
        call = service_pb2.Call()
        call.get_items.ids.extend(chunk)
        reply = yield encode_call("get_items", call)
        replies.append(reply.get_items)
    return _replies.get_items(replies)


def user(user: str) -> Operation[UserState]:
    """See `Penchant.user`."""
    call = service_pb2.Call()
    call.get_user.user = _text("user", user)
    reply = yield encode_call("get_user", call)
    return _replies.user_state(reply.get_user)


def export_user(user_id: str) -> Operation[UserExport]:
    """See `Penchant.export_user`."""
    rows: list[LoggedEvent] = []
    call = service_pb2.Call()
    call.export_user.user = _text("user", user_id)
    call.export_user.limit = ROWS_PER_PAGE
    while True:
        reply = yield encode_call("export_user", call)
        rows += _replies.logged_events(reply.export_user.events)
        if not reply.export_user.next_after_version:
            break
        call.export_user.after_version = reply.export_user.next_after_version
    # Read the record last, so that it covers every event in the pages above.
    state = yield from user(user_id)
    return UserExport(state, tuple(rows))


def forget_user(user: str) -> Operation[int]:
    """See `Penchant.forget_user`."""
    call = service_pb2.Call()
    call.forget_user.user = _text("user", user)
    reply = yield encode_call("forget_user", call)
    return int(reply.forget_user.deleted_events)


def embed(texts: Iterable[str], encoder_version: str) -> Operation[Embeddings]:
    """See `Penchant.embed`."""
    replies: list[embed_pb2.EmbedReply] = []
    for chunk in _chunks(_some("texts", texts), TEXTS_PER_CALL):
        call = service_pb2.Call()
        call.embed.texts.extend(chunk)
        # A release may be published between two calls: all vectors must come from one encoder.
        call.embed.encoder_version = replies[0].encoder_version if replies else encoder_version
        reply = yield encode_call("embed", call)
        replies.append(reply.embed)
    return _replies.embeddings(replies)


def clip_query(text: str) -> str:
    """Cuts a text to the 2,048 bytes of a query, at a whole character."""
    return text.encode()[:QUERY_BYTES].decode(errors="ignore").strip()


def _text(name: str, value: str) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{name}: got {value!r}, expected text of 1 byte or more")
    return value


def _list(name: str, values: Iterable[_Element]) -> list[_Element]:
    if isinstance(values, str):
        # A string is also a sequence of strings: its letters would be read as ids.
        raise InvalidRequest(f"{name}: got the text {values!r}, expected a list of texts")
    return list(values)


def _some(name: str, values: Iterable[_Element]) -> list[_Element]:
    listed = _list(name, values)
    if not listed:
        raise InvalidRequest(f"{name}: got none, expected 1 or more")
    return listed


def _chunks(values: Sequence[_Element], size: int) -> Iterable[Sequence[_Element]]:
    return (values[start : start + size] for start in range(0, len(values), size))
