"""Each verb of the SDK as an operation: the calls to send, and how to read the replies.

An operation is a generator without I/O. It yields an `EncodedCall`, receives the `Reply`, and
returns the verb's result; a call's error is raised at the `yield`. `Penchant.run` and
`AsyncPenchant.run` run the same operations, so each verb is written once.

    >>> operation = rank("u42", k=2)
    >>> next(operation).model
    'penchant_rank'
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from penchant_proto.methods import METHODS
from penchant_proto.v1 import (
    embed_pb2,
    item_pb2,
    service_pb2,
)
from penchant_sdk import _arguments, _messages, _replies
from penchant_sdk._arguments import (
    UINT32_MAX,
    flag,
    real,
    some,
    text,
    texts,
    texts_by_key,
    whole,
)
from penchant_sdk._parts import in_whole_list, parts, size_of_message, size_of_text
from penchant_sdk._times import to_microseconds
from penchant_sdk.errors import InvalidRequest, PenchantError, UserNotFound
from penchant_sdk.exploration import Exploration
from penchant_sdk.records import (
    DeleteItemsResult,
    Embeddings,
    ForgetReceipt,
    GetItemsResult,
    KeptRow,
    LoggedEvent,
    MergedUsers,
    PutItemsResult,
    UserExport,
    UserState,
)
from penchant_sdk.reservations import Reservations, ReserveOption
from penchant_sdk.types import (
    Event,
    EventResult,
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
ROWS_PER_PAGE = 1_000
QUERY_BYTES = 2_048

T = TypeVar("T")


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
        _messages.explore(request.explore, explore, seed)
    elif seed is not None:
        raise InvalidRequest("seed: got one without explore, expected both or neither")
    request.diversity = real("diversity", diversity)
    request.exclude_owned = flag("exclude_owned", exclude_owned)
    reply = yield encode_call("rank", call)
    return _replies.ranking(reply.rank)


def feedback(events: Iterable[Event]) -> Operation[FeedbackAck]:
    """See `Penchant.feedback`."""
    ack = yield from sent_events(events)
    _log_refused(ack)
    return ack


def sent_events(events: Iterable[Event]) -> Operation[FeedbackAck]:
    """`feedback` for a caller that looks at the refusals itself: it writes none to the log."""
    found: list[Event] = some("events", events, "events")
    messages = [_messages.event(f"events[{place}]", event) for place, event in enumerate(found)]
    results: list[EventResult] = []
    # All events are encoded before the first call, so that a wrong one is refused with none sent.
    for start, part in parts(messages, EVENTS_PER_CALL, size_of_message):
        call = service_pb2.Call()
        call.feedback.events.extend(part)
        reply = yield from _part("feedback", call, "events", start)
        sent = found[start : start + len(part)]
        results += _replies.event_results(sent, reply.feedback)
    return FeedbackAck(tuple(results))


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
        [_messages.option(f"options[{place}]", option) for place, option in enumerate(wanted)]
    )
    request.n = whole("n", n, most=UINT32_MAX)
    # On the wire, 0 stands for the server's default.
    request.lapse_s = whole("lapse_s", lapse_s, least=1, most=UINT32_MAX)
    if as_of is not None:
        request.as_of_us = to_microseconds(as_of, "as_of", InvalidRequest)
    reply = yield encode_call("reserve", call)
    return _replies.reservations(reply.reserve)


def put_items(items: Iterable[Item]) -> Operation[PutItemsResult]:
    """See `Penchant.put_items`."""
    messages: list[item_pb2.Item] = []
    ids: set[str] = set()
    found: list[Item] = some("items", items, "Items")
    for place, item in enumerate(found):
        message = _messages.item(f"items[{place}]", item)
        if message.id in ids:
            # The server checks one call at a time, so across two the later item would win silently.
            raise InvalidRequest(f"items: got the id {message.id!r} twice, expected distinct ids")
        ids.add(message.id)
        messages.append(message)
    replies = []
    for start, part in parts(messages, ITEMS_PER_CALL, size_of_message):
        call = service_pb2.Call()
        call.put_items.items.extend(part)
        reply = yield from _part("put_items", call, "items", start)
        replies.append(reply.put_items)
    return _replies.put_items(replies)


def delete_items(ids: Iterable[str]) -> Operation[DeleteItemsResult]:
    """See `Penchant.delete_items`."""
    replies = []
    for start, part in parts(_distinct(ids), IDS_PER_CALL, size_of_text):
        call = service_pb2.Call()
        call.delete_items.ids.extend(part)
        reply = yield from _part("delete_items", call, "ids", start)
        replies.append(reply.delete_items)
    return _replies.delete_items(replies)


def get_items(ids: Iterable[str]) -> Operation[GetItemsResult]:
    """See `Penchant.get_items`."""
    replies = []
    for start, part in parts(_distinct(ids), ITEMS_PER_CALL, size_of_text):
        covered = 0
        while covered < len(part):
            call = service_pb2.Call()
            call.get_items.ids.extend(part[covered:])
            call.get_items.paged = True
            reply = yield from _part("get_items", call, "ids", start + covered)
            replies.append(reply.get_items)
            # A server of before pages covers all ids, and does not say so.
            covered += reply.get_items.covered or len(part)
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
    call.export_user.page_token = b""
    while True:
        reply = yield encode_call("export_user", call)
        page = reply.export_user
        rows += _replies.logged_events(page.events)
        if not page.next_page_token and not page.next_after_version:
            break
        call.export_user.page_token = page.next_page_token
        # A server that knows no tokens pages by version.
        call.export_user.after_version = page.next_after_version
    rows.sort(key=lambda row: row.state_version)
    # Read the record last, so that it covers every event in the pages above.
    try:
        state = yield from user(user_id)
    except UserNotFound:
        if rows:
            raise  # Forgotten a moment ago.
        state = UserState(user_id, 0, (), 0, (), ())  # The user has reservations alone.
    kept = yield from _kept(user_id)
    return UserExport(state, tuple(rows), kept)


def _kept(user_id: str) -> Operation[tuple[KeptRow, ...]]:
    """What is kept beside the events; nothing of a server that does not tell."""
    rows: list[KeptRow] = []
    call = service_pb2.Call()
    call.export_user.user = text("user", user_id)
    call.export_user.kept_from = 0
    while True:
        reply = yield encode_call("export_user", call)
        page = reply.export_user
        rows += [KeptRow(row.kind, json.loads(row.json)) for row in page.kept]
        if not page.next_kept:
            return tuple(rows)
        call.export_user.kept_from = page.next_kept


def forget_user(user: str) -> Operation[ForgetReceipt]:
    """See `Penchant.forget_user`."""
    call = service_pb2.Call()
    call.forget_user.user = text("user", user)
    reply = yield encode_call("forget_user", call)
    return _replies.forget_receipt(reply.forget_user)


def merge_users(from_user: str, to_user: str) -> Operation[MergedUsers]:
    """See `Penchant.merge_users`."""
    call = service_pb2.Call()
    call.merge_users.from_user = text("from_user", from_user)
    call.merge_users.to_user = text("to_user", to_user)
    reply = yield encode_call("merge_users", call)
    return MergedUsers(
        moved_events=int(reply.merge_users.moved_events),
        state_version=int(reply.merge_users.state_version),
    )


def embed(texts: Iterable[str], encoder_version: str) -> Operation[Embeddings]:
    """See `Penchant.embed`."""
    version = text("encoder_version", encoder_version, empty=True)
    found = _arguments.texts("texts", some("texts", texts, "texts"))
    replies: list[embed_pb2.EmbedReply] = []
    for start, part in parts(found, TEXTS_PER_CALL, size_of_text):
        call = service_pb2.Call()
        call.embed.texts.extend(part)
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
        if not start:
            raise
        raise in_whole_list(error, name, start) from error
