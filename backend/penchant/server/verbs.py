"""The verbs of the contract: messages in, checks, the service, messages out.

A verb answers all requests of one method that arrived together: one reply or error each, in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from penchant import wire, wire_reserve
from penchant.domain.errors import InternalError, InvalidRequest, PenchantError
from penchant.domain.limits import (
    Limits,
    check_count,
    check_id,
    check_ids,
    check_item,
    check_rank,
    check_reserve,
    check_text,
)
from penchant.domain.ranking import RankRequest
from penchant.domain.reservations import ReserveRequest
from penchant.service.catalog import CatalogService
from penchant.service.clock import Clock
from penchant.service.embed import EmbedRequest, EmbedService
from penchant.service.feedback import FeedbackService
from penchant.service.rank import RankService
from penchant.service.reserve import ReserveService
from penchant.service.users import UserService
from penchant_proto.v1 import catalog_pb2, embed_pb2, feedback_pb2, rank_pb2, reserve_pb2, user_pb2
from penchant_proto.v1.service_pb2 import Reply

log = logging.getLogger("penchant")

Message = TypeVar("Message")
Checked = TypeVar("Checked")
Result = TypeVar("Result")

Answers = list[Reply | PenchantError]

Verb = Callable[[Sequence[Any]], Answers]
"""From request messages of one method to their replies."""

DEFAULT_EXPORT_ROWS = 1000
"""Rows a page of an export whose request names no limit."""


def rank_verbs(service: RankService, limits: Limits) -> dict[str, Verb]:
    """The verb of the readers."""

    def check(message: rank_pb2.RankRequest) -> RankRequest:
        request = wire.rank_request(message)
        check_rank(request, limits)
        return request

    def rank(messages: Sequence[rank_pb2.RankRequest]) -> Answers:
        return _together(messages, check, service.rank, wire.rank_reply)

    return {"rank": rank}


def feedback_verbs(service: FeedbackService, limits: Limits, clock: Clock) -> dict[str, Verb]:
    """The verb of the writer."""

    def check(message: feedback_pb2.FeedbackRequest) -> feedback_pb2.FeedbackRequest:
        check_count("events", message.events, limits.events)
        return message

    def feedback(messages: Sequence[feedback_pb2.FeedbackRequest]) -> Answers:
        now_us = clock()
        return _together(
            messages,
            check,
            lambda calls: service.feedback(
                [[wire.event(event, now_us) for event in call.events] for call in calls]
            ),
            wire.feedback_reply,
        )

    return {"feedback": feedback}


def reserve_verbs(service: ReserveService, limits: Limits, clock: Clock) -> dict[str, Verb]:
    """The verb of impressions that are reserved before they are made."""

    def reserve(messages: Sequence[reserve_pb2.ReserveRequest]) -> Answers:
        now_us = clock()

        def check(message: reserve_pb2.ReserveRequest) -> ReserveRequest:
            request = wire_reserve.reserve_request(message)
            check_reserve(request, now_us, limits)
            return request

        return _together(messages, check, service.reserve, wire_reserve.reserve_reply)

    return {"reserve": reserve}


def catalog_verbs(service: CatalogService, limits: Limits) -> dict[str, Verb]:
    """The verbs of the catalog."""

    def put(message: catalog_pb2.PutItemsRequest) -> Reply:
        check_ids("items", [item.id for item in message.items], limits.items, limits)
        items = [wire.item(item) for item in message.items]
        for position, item in enumerate(items):
            check_item(f"items[{position}]", item, limits)
        return wire.put_items_reply(service.put(items))

    def delete(message: catalog_pb2.DeleteItemsRequest) -> Reply:
        check_ids("ids", message.ids, limits.items, limits)
        return wire.delete_items_reply(service.delete(message.ids))

    def get(message: catalog_pb2.GetItemsRequest) -> Reply:
        check_ids("ids", message.ids, limits.items, limits)
        return wire.get_items_reply(service.get(message.ids))

    return {"put_items": _each(put), "delete_items": _each(delete), "get_items": _each(get)}


def user_verbs(service: UserService, limits: Limits) -> dict[str, Verb]:
    """The verbs about one user."""

    def get(message: user_pb2.GetUserRequest) -> Reply:
        check_id("user", message.user, limits)
        return wire.get_user_reply(message.user, service.get(message.user))

    def export(message: user_pb2.ExportUserRequest) -> Reply:
        check_id("user", message.user, limits)
        limit = message.limit or DEFAULT_EXPORT_ROWS
        if limit > limits.export_rows:
            raise InvalidRequest(f"limit: got {limit}, expected 1 to {limits.export_rows}")
        return wire.export_user_reply(service.export(message.user, message.after_version, limit))

    def forget(message: user_pb2.ForgetUserRequest) -> Reply:
        check_id("user", message.user, limits)
        return wire.forget_user_reply(service.forget(message.user))

    return {"get_user": _each(get), "export_user": _each(export), "forget_user": _each(forget)}


def embed_verbs(service: EmbedService, limits: Limits) -> dict[str, Verb]:
    """The verb of the encoder."""

    def check(message: embed_pb2.EmbedRequest) -> EmbedRequest:
        check_count("texts", message.texts, limits.texts)
        for position, text in enumerate(message.texts):
            check_text(f"texts[{position}]", text, limits.text_bytes)
        return EmbedRequest(list(message.texts), message.encoder_version)

    def embed(messages: Sequence[embed_pb2.EmbedRequest]) -> Answers:
        return _together(
            messages,
            check,
            service.embed,
            lambda found: wire.embed_reply(found.vectors, found.encoder_version),
        )

    return {"embed": embed}


def _each(answer: Callable[[Any], Reply]) -> Verb:
    """A verb that answers one request after the other."""

    def verb(messages: Sequence[Any]) -> Answers:
        answers: Answers = []
        for message in messages:
            try:
                answers.append(answer(message))
            except PenchantError as error:
                answers.append(error)
            except Exception:  # The others may be done already, and must not be done twice.
                log.exception("%s failed", answer.__name__)
                answers.append(InternalError())
        return answers

    return verb


def _together(
    messages: Sequence[Message],
    check: Callable[[Message], Checked],
    serve: Callable[[list[Checked]], Sequence[Result | PenchantError]],
    reply: Callable[[Result], Reply],
) -> Answers:
    """Serves the valid requests in one go, and puts the refusals in their places between them."""
    answers: Answers = []
    valid: list[Checked] = []
    places: list[int] = []
    for place, message in enumerate(messages):
        try:
            valid.append(check(message))
            places.append(place)
            answers.append(PenchantError())
        except PenchantError as error:
            answers.append(error)
    if valid:
        for place, result in zip(places, serve(valid), strict=True):
            answers[place] = result if isinstance(result, PenchantError) else reply(result)
    return answers
