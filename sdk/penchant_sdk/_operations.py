"""Each verb of the SDK as an operation: the calls to send, and how to read the replies.

An operation is a generator without I/O. It yields an `EncodedCall`, receives the `Reply`, and
returns the verb's result; a call's error is raised at the `yield`. `Penchant.run` and
`AsyncPenchant.run` run the same operations, so each verb is written once.

    >>> operation = rank("u42", k=2)
    >>> next(operation).model
    'penchant_rank'
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from penchant_proto.methods import METHODS
from penchant_proto.v1 import (
    embed_pb2,
    event_pb2,
    item_pb2,
    rank_pb2,
    reserve_pb2,
    service_pb2,
)
from penchant_sdk import _arguments, _replies
from penchant_sdk._arguments import (
    UINT32_MAX,
    flag,
    instance,
    listed,
    real,
    shown,
    some,
    text,
    texts,
    texts_by_key,
    whole,
)
from penchant_sdk._times import to_microseconds
from penchant_sdk.errors import InvalidEvent, InvalidRequest, PenchantError
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
from penchant_sdk.reservations import Budget, Cap, Reservations, ReserveOption
from penchant_sdk.types import (
    Event,
    EventResult,
    Exposure,
    FeedbackAck,
    Item,
    Ranking,
)

log = logging.getLogger("penchant_sdk")

LAPSE_S = 60
"""Seconds until an unconfirmed reservation lapses, unless the caller says otherwise."""
ITEMS_PER_CALL = 256
"""Items put or read in one call: below the contract's limit of 1,000, so that the texts of a put
are encoded within its deadline, and a reply of the largest items stays small."""
IDS_PER_CALL = 1_000
EVENTS_PER_CALL = 1_000
TEXTS_PER_CALL = 256
BYTES_PER_CALL = 1 << 20
"""Bytes of a call that holds more than one element. The server's limit is eight times that."""
ROWS_PER_PAGE = 1_000
QUERY_BYTES = 2_048
_FRAME_BYTES = 8
"""At most what protobuf adds to an element of a list: its tag and its length."""

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
        InvalidRequest: an argument has a wrong type or value.
        StopIteration: the operation needs no call; the exception's `value` is the result.
    """
    try:
        return next(operation)
    except PenchantError:
        raise
    except (AttributeError, TypeError, ValueError) as error:
        # The verbs refuse each argument by its name; this catches what a check overlooks.
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
    call = service_pb2.Call()
    request = call.rank
    request.user = text("user", user)
    request.k = whole("k", k, least=1, most=UINT32_MAX)
    if candidates is not None:
        request.candidates.ids.extend(texts("candidates", candidates))
        request.candidates.SetInParent()  # An empty list means no candidates, not all items.
    request.query = text("query", query, empty=True)
    if context is not None:
        request.context.update(texts_by_key("context", context))
    request.exclude_seen = flag("exclude_seen", exclude_seen)
    request.min_state_version = whole("min_state_version", min_state_version)
    request.explain = flag("explain", explain)
    if as_of is not None:
        request.as_of_us = to_microseconds(as_of, "as_of", InvalidRequest)
    if explore is not None:
        _explore(request.explore, explore, seed)
    elif seed is not None:
        raise InvalidRequest("seed: got one without explore, expected both or neither")
    request.diversity = real("diversity", diversity)
    request.exclude_owned = flag("exclude_owned", exclude_owned)
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
                f"explore: got {shown(policy)}, expected PlackettLuce, EpsilonGreedy or Thompson"
            )
    if seed is not None:
        message.seed = whole("seed", seed)


def feedback(events: Iterable[Event]) -> Operation[FeedbackAck]:
    """See `Penchant.feedback`."""
    found: list[Event] = some("events", events, "events")
    messages = [_event(place, event) for place, event in enumerate(found)]
    results: list[EventResult] = []
    # All events are encoded before the first call, so that a wrong one is refused with none sent.
    for start, chunk in list(_chunks(messages, EVENTS_PER_CALL, _size_of_message)):
        call = service_pb2.Call()
        call.feedback.events.extend(chunk)
        reply = yield from _part("feedback", call, "events", start)
        sent = found[start : start + len(chunk)]
        results += _replies.event_results(sent, reply.feedback)
    ack = FeedbackAck(tuple(results))
    _log_refused(ack)
    return ack


def _log_refused(ack: FeedbackAck) -> None:
    """One line for all refused events, since nothing is raised and an ack is easily ignored."""
    refused = ack.refused
    if refused:
        first = refused[0]
        log.warning(
            "feedback: the server refused %d of %d events; the first: event %r: [%s] %s",
            len(refused),
            len(ack.results),
            first.event_id,
            first.reason,
            first.message,
        )


def _event(place: int, event: Event) -> event_pb2.Event:
    name, error = f"events[{place}]", InvalidEvent
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
        context=texts_by_key(f"{name}.context", event.context, error),
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
    call = service_pb2.Call()
    request = call.reserve
    request.user = text("user", user)
    request.recommendation_id = text("recommendation_id", recommendation_id)
    wanted: list[ReserveOption] = some("options", options, "ReserveOptions")
    request.options.extend(
        [_option(f"options[{place}]", option) for place, option in enumerate(wanted)]
    )
    request.n = whole("n", n, most=UINT32_MAX)
    # On the wire, 0 stands for the server's default.
    request.lapse_s = whole("lapse_s", lapse_s, least=1, most=UINT32_MAX)
    if as_of is not None:
        request.as_of_us = to_microseconds(as_of, "as_of", InvalidRequest)
    reply = yield encode_call("reserve", call)
    return _replies.reservations(reply.reserve)


def _option(name: str, option: ReserveOption) -> reserve_pb2.ReserveOption:
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
    return message


def put_items(items: Iterable[Item]) -> Operation[PutItemsResult]:
    """See `Penchant.put_items`."""
    messages: list[item_pb2.Item] = []
    ids: set[str] = set()
    found: list[Item] = some("items", items, "Items")
    for place, item in enumerate(found):
        message = _item(f"items[{place}]", item)
        if message.id in ids:
            # The server checks one call at a time, so across two the later item would win silently.
            raise InvalidRequest(f"items: got the id {message.id!r} twice, expected distinct ids")
        ids.add(message.id)
        messages.append(message)
    replies = []
    for start, chunk in list(_chunks(messages, ITEMS_PER_CALL, _size_of_message)):
        call = service_pb2.Call()
        call.put_items.items.extend(chunk)
        reply = yield from _part("put_items", call, "items", start)
        replies.append(reply.put_items)
    return _replies.put_items(replies)


def _item(name: str, item: Item) -> item_pb2.Item:
    item = instance(name, item, Item)
    return item_pb2.Item(
        id=text(f"{name}.id", item.id),
        text=text(f"{name}.text", item.text),
        attributes=texts_by_key(f"{name}.attributes", item.attributes),
    )


def delete_items(ids: Iterable[str]) -> Operation[DeleteItemsResult]:
    """See `Penchant.delete_items`."""
    replies = []
    for start, chunk in _chunks(_distinct(ids), IDS_PER_CALL, _size_of_text):
        call = service_pb2.Call()
        call.delete_items.ids.extend(chunk)
        reply = yield from _part("delete_items", call, "ids", start)
        replies.append(reply.delete_items)
    return _replies.delete_items(replies)


def get_items(ids: Iterable[str]) -> Operation[GetItemsResult]:
    """See `Penchant.get_items`."""
    replies = []
    for start, chunk in _chunks(_distinct(ids), ITEMS_PER_CALL, _size_of_text):
        call = service_pb2.Call()
        call.get_items.ids.extend(chunk)
        reply = yield from _part("get_items", call, "ids", start)
        replies.append(reply.get_items)
    return _replies.get_items(replies)


def _distinct(ids: Iterable[str]) -> list[str]:
    found = texts("ids", some("ids", ids, "texts"))
    seen: set[str] = set()
    for place, id_ in enumerate(found):
        if id_ in seen:
            # The server, which checks one call at a time, says the same.
            raise InvalidRequest(f"ids[{place}]: got {id_[:64]!r} twice, expected once")
        seen.add(id_)
    return found


def user(user: str) -> Operation[UserState]:
    """See `Penchant.user`."""
    call = service_pb2.Call()
    call.get_user.user = text("user", user)
    reply = yield encode_call("get_user", call)
    return _replies.user_state(reply.get_user)


def export_user(user_id: str) -> Operation[UserExport]:
    """See `Penchant.export_user`."""
    rows: list[LoggedEvent] = []
    call = service_pb2.Call()
    call.export_user.user = text("user", user_id)
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
    call.forget_user.user = text("user", user)
    reply = yield encode_call("forget_user", call)
    return int(reply.forget_user.deleted_events)


def embed(texts: Iterable[str], encoder_version: str) -> Operation[Embeddings]:
    """See `Penchant.embed`."""
    version = text("encoder_version", encoder_version, empty=True)
    found = _arguments.texts("texts", some("texts", texts, "texts"))
    replies: list[embed_pb2.EmbedReply] = []
    for start, chunk in _chunks(found, TEXTS_PER_CALL, _size_of_text):
        call = service_pb2.Call()
        call.embed.texts.extend(chunk)
        # A release may be published between two calls: all vectors must come from one encoder.
        call.embed.encoder_version = replies[0].encoder_version if replies else version
        reply = yield from _part("embed", call, "texts", start)
        replies.append(reply.embed)
    return _replies.embeddings(replies)


def clip_query(text: str) -> str:
    """Cuts a text to the 2,048 bytes of a query, at a whole character."""
    return text.encode()[:QUERY_BYTES].decode(errors="ignore").strip()


def _part(verb: str, call: service_pb2.Call, name: str, start: int) -> Operation[service_pb2.Reply]:
    """Sends one of several calls; a refusal names the place in the caller's whole list.

    Args:
        verb: name of the method's field.
        call: the call.
        name: name of the list.
        start: place of the call's first element in the list.
    """
    try:
        return (yield encode_call(verb, call))
    except InvalidRequest as error:
        at = re.match(rf"{name}\[(\d+)\]", str(error))
        if not start or at is None:
            raise
        place = start + int(at[1])
        raise InvalidRequest(f"{name}[{place}]{str(error)[at.end() :]}") from error


def _size_of_text(value: str) -> int:
    return len(value) if value.isascii() else len(value.encode())


def _size_of_message(message: item_pb2.Item | event_pb2.Event) -> int:
    return message.ByteSize()


def _chunks(
    values: Sequence[_Element], most: int, size: Callable[[_Element], int]
) -> Iterator[tuple[int, Sequence[_Element]]]:
    """Pieces of at most `most` elements and `BYTES_PER_CALL`, each with its start in the whole.

    An element that is larger than that has a piece of its own.
    """
    start = total = 0
    for place, value in enumerate(values):
        bytes_ = size(value) + _FRAME_BYTES
        if place > start and (place - start == most or total + bytes_ > BYTES_PER_CALL):
            yield start, values[start:place]
            start, total = place, 0
        total += bytes_
    if start < len(values):
        yield start, values[start:]
