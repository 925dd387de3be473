"""Between the contract's messages and the domain's types, both ways, without decisions."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from google.protobuf.message import DecodeError

from penchant.domain.errors import InvalidRequest
from penchant.domain.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant.domain.ranking import Contribution, Explanation, Ranking, RankRequest
from penchant.domain.types import (
    Context,
    Event,
    EventResult,
    EventStatus,
    Exposure,
    Item,
    LogRow,
    Matrix,
)
from penchant.service.catalog import DeleteResult, GetResult, PutResult
from penchant.service.users import LogPage, UserView
from penchant_proto.v1 import (
    catalog_pb2,
    embed_pb2,
    event_pb2,
    feedback_pb2,
    item_pb2,
    rank_pb2,
    service_pb2,
    user_pb2,
)

_STATUS = {
    EventStatus.ACCEPTED: feedback_pb2.EventResult.STATUS_ACCEPTED,
    EventStatus.DUPLICATE: feedback_pb2.EventResult.STATUS_DUPLICATE,
    EventStatus.REFUSED: feedback_pb2.EventResult.STATUS_REFUSED,
}


def parse_call(payload: bytes) -> tuple[str, service_pb2.Call]:
    """The method's field name and the call; raises InvalidRequest for bytes that are no call."""
    call = service_pb2.Call()
    try:
        call.ParseFromString(payload)
    except (DecodeError, UnicodeDecodeError):
        raise InvalidRequest(
            f"REQUEST: got {len(payload)} bytes that are no penchant.v1.Call"
        ) from None
    field = call.WhichOneof("method")
    if field is None:
        raise InvalidRequest("REQUEST: got a penchant.v1.Call without a method, expected one")
    return field, call


def context_of(message: rank_pb2.RankRequest | event_pb2.Event) -> Context:
    """The context of a ranking or an event, by key."""
    return tuple(sorted(message.context.items())) if message.context else ()


def rank_request(message: rank_pb2.RankRequest) -> RankRequest:
    """A rank request."""
    return RankRequest(
        user=message.user,
        k=message.k,
        candidates=tuple(message.candidates.ids) if message.HasField("candidates") else None,
        query=message.query,
        exclude_seen=message.exclude_seen,
        min_state_version=message.min_state_version,
        explain=message.explain,
        as_of_us=message.as_of_us if message.HasField("as_of_us") else None,
        context=context_of(message),
        exclude_owned=message.exclude_owned,
        explore=_exploration(message.explore) if message.HasField("explore") else None,
        diversity=message.diversity,
    )


def _exploration(message: rank_pb2.Exploration) -> Exploration:
    seed = message.seed if message.HasField("seed") else None
    match message.WhichOneof("policy"):
        case "plackett_luce":
            return Exploration(PlackettLuce(message.plackett_luce.temperature), seed)
        case "epsilon_greedy":
            return Exploration(EpsilonGreedy(message.epsilon_greedy.epsilon), seed)
        case "thompson":
            return Exploration(Thompson(message.thompson.scale), seed)
    raise InvalidRequest("explore: got no policy, expected one")


def rank_reply(ranking: Ranking) -> service_pb2.Reply:
    """A ranking, ready to send."""
    reply = service_pb2.Reply()
    message = reply.rank
    message.recommendation_id = ranking.recommendation_id
    message.unknown_candidates.extend(ranking.unknown_candidates)
    message.state_version = ranking.state_version
    message.catalog_version = ranking.catalog_version
    message.encoder_version = ranking.encoder_version
    message.cold_start = ranking.cold_start
    add = message.items.add
    message.explored = ranking.propensities is not None
    message.propensity_estimated = ranking.propensity_estimated
    message.explorations_left = ranking.explorations_left
    chances = itertools.repeat(1.0) if ranking.propensities is None else ranking.propensities
    for id_, score, chance in zip(ranking.ids, ranking.scores, chances, strict=False):
        add(id=id_, score=score, propensity=chance)
    for item, explanation in zip(message.items, ranking.explanations or [], strict=False):
        item.explanation.CopyFrom(_explanation(explanation))
    return reply


def _explanation(explanation: Explanation) -> rank_pb2.Explanation:
    return rank_pb2.Explanation(
        offset=explanation.offset,
        slow=explanation.slow,
        fast=explanation.fast,
        near=explanation.near,
        query=explanation.query,
        contributions=[_contribution(part) for part in explanation.contributions],
    )


def _contribution(part: Contribution) -> rank_pb2.Contribution:
    return rank_pb2.Contribution(
        event_id=part.event_id,
        item=part.item,
        signal=part.signal,
        occurred_at_us=part.occurred_at_us,
        share=part.share,
    )


def event(message: event_pb2.Event, now_us: int) -> Event:
    """An event; one that does not say when it happened, happened now."""
    return Event(
        event_id=message.event_id,
        user=message.user,
        item=message.item,
        signal=message.signal,
        value=message.value if message.HasField("value") else None,
        occurred_at_us=message.occurred_at_us if message.HasField("occurred_at_us") else now_us,
        recommendation_id=message.recommendation_id,
        context=context_of(message),
        exposure=_exposure(message.exposure) if message.HasField("exposure") else None,
    )


def _exposure(message: event_pb2.Exposure) -> Exposure:
    return Exposure(
        message.position, message.propensity, message.propensity_estimated, message.score
    )


def feedback_reply(results: list[EventResult]) -> service_pb2.Reply:
    """The results of one call's events."""
    reply = service_pb2.Reply()
    reply.feedback.SetInParent()
    for result in results:
        reply.feedback.results.add(
            event_id=result.event_id,
            status=_STATUS[result.status],
            reason=result.reason,
            message=result.message,
            state_version=result.state_version,
        )
    return reply


def item(message: item_pb2.Item) -> Item:
    """An item."""
    return Item(message.id, message.text, dict(message.attributes))


def put_items_reply(result: PutResult) -> service_pb2.Reply:
    """What a put did."""
    return service_pb2.Reply(
        put_items=catalog_pb2.PutItemsReply(
            catalog_version=result.head.version,
            encoder_version=result.head.encoder_version,
            changed=result.changed,
            unchanged=result.unchanged,
            encoded=result.encoded,
            item_count=result.head.alive,
        )
    )


def delete_items_reply(result: DeleteResult) -> service_pb2.Reply:
    """What a deletion did."""
    return service_pb2.Reply(
        delete_items=catalog_pb2.DeleteItemsReply(
            catalog_version=result.head.version,
            deleted=result.deleted,
            unknown=result.unknown,
            item_count=result.head.alive,
        )
    )


def get_items_reply(result: GetResult) -> service_pb2.Reply:
    """What the catalog holds."""
    items = [
        item_pb2.Item(id=item.id, text=item.text, attributes=item.attributes)
        for item in result.items
    ]
    return service_pb2.Reply(
        get_items=catalog_pb2.GetItemsReply(
            items=items,
            unknown=result.unknown,
            catalog_version=result.head.version,
            encoder_version=result.head.encoder_version,
            item_count=result.head.alive,
        )
    )


def get_user_reply(user: str, view: UserView) -> service_pb2.Reply:
    """A user's record, newest event first."""
    window = [
        user_pb2.WindowEvent(
            item=id_,
            occurred_at_us=int(event["occurred_at_us"]),
            reward=float(event["reward"]),
            weight=float(event["weight"]),
        )
        for event, id_ in zip(view.window[::-1], reversed(view.items), strict=True)
    ]
    return service_pb2.Reply(
        get_user=user_pb2.GetUserReply(
            user=user,
            state_version=view.state_version,
            window=window,
            catalog_version=view.catalog_version,
            slow=view.interest.slow.tolist(),
            fast=view.interest.fast.tolist(),
        )
    )


def export_user_reply(page: LogPage) -> service_pb2.Reply:
    """A page of a user's log."""
    return service_pb2.Reply(
        export_user=user_pb2.ExportUserReply(
            events=[_logged_event(row) for row in page.rows],
            next_after_version=page.next_after_version,
            state_version=page.state_version,
        )
    )


def _logged_event(row: LogRow) -> user_pb2.LoggedEvent:
    event = row.event
    return user_pb2.LoggedEvent(
        event=event_pb2.Event(
            event_id=event.event_id,
            user=event.user,
            item=event.item,
            signal=event.signal,
            value=event.value,
            occurred_at_us=event.occurred_at_us,
            recommendation_id=event.recommendation_id,
            context=dict(event.context),
            exposure=event_pb2.Exposure(**dataclasses.asdict(event.exposure))
            if event.exposure
            else None,
        ),
        state_version=row.state_version,
        accepted_at_us=row.accepted_at_us,
    )


def forget_user_reply(deleted_events: int) -> service_pb2.Reply:
    """How many log rows went."""
    return service_pb2.Reply(forget_user=user_pb2.ForgetUserReply(deleted_events=deleted_events))


def embed_reply(vectors: Matrix, encoder_version: str) -> service_pb2.Reply:
    """Vectors, shape (texts, d)."""
    return service_pb2.Reply(
        embed=embed_pb2.EmbedReply(
            vectors=vectors.astype("<f4").tobytes(),
            dimensions=vectors.shape[1],
            encoder_version=encoder_version,
        )
    )


def embeddings(reply: embed_pb2.EmbedReply) -> Matrix:
    """The inverse of `embed_reply`, shape (texts, d)."""
    return np.frombuffer(reply.vectors, "<f4").reshape(-1, reply.dimensions)
