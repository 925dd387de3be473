"""Converts the contract's replies to the SDK's dataclasses, without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError

from penchant_proto.v1 import (
    catalog_pb2,
    embed_pb2,
    event_pb2,
    feedback_pb2,
    item_pb2,
    rank_pb2,
    reserve_pb2,
    service_pb2,
    user_pb2,
)
from penchant_sdk._times import from_microseconds
from penchant_sdk.errors import ServerError
from penchant_sdk.records import (
    DeleteItemsResult,
    Embeddings,
    ForgetReceipt,
    GetItemsResult,
    LoggedEvent,
    PutItemsResult,
    UserState,
    WindowEvent,
)
from penchant_sdk.reservations import (
    Reservation,
    Reservations,
    Unreserved,
    UnreservedReason,
)
from penchant_sdk.types import (
    Contribution,
    Event,
    EventResult,
    EventStatus,
    Explanation,
    Exposure,
    Item,
    RankedItem,
    Ranking,
)

_STATUS = {
    feedback_pb2.EventResult.STATUS_ACCEPTED: EventStatus.ACCEPTED,
    feedback_pb2.EventResult.STATUS_DUPLICATE: EventStatus.DUPLICATE,
    feedback_pb2.EventResult.STATUS_REFUSED: EventStatus.REFUSED,
}
SPOOLED = "Spooled"
"""Reason, without a status, that the client gives to an event which waits in its spool. A server
sends none without a status."""
_UNRESERVED_REASON = {
    reserve_pb2.Unreserved.REASON_CAPPED: UnreservedReason.CAPPED,
    reserve_pb2.Unreserved.REASON_BUDGET: UnreservedReason.BUDGET,
}


def parse(verb: str, answer: bytes) -> service_pb2.Reply:
    """Parses the reply to a verb.

    Raises:
        ServerError: the bytes are no `Reply`, or the reply answers another verb.
    """
    try:
        reply = service_pb2.Reply.FromString(answer)
    except DecodeError as error:
        raise ServerError(f"{verb}: the reply of {len(answer)} bytes does not parse") from error
    got = reply.WhichOneof("method")
    if got != verb:
        raise ServerError(f"{verb}: got the reply of {got}, expected its own")
    return reply


def ranking(reply: rank_pb2.RankReply) -> Ranking:
    """The ranking in a reply."""
    return Ranking(
        recommendation_id=reply.recommendation_id,
        items=tuple([_ranked_item(item) for item in reply.items]),
        unknown_candidates=tuple(reply.unknown_candidates),
        state_version=reply.state_version,
        catalog_version=reply.catalog_version,
        encoder_version=reply.encoder_version,
        cold_start=reply.cold_start,
        explored=reply.explored,
        propensity_estimated=reply.propensity_estimated,
        explorations_left=reply.explorations_left,
    )


def _ranked_item(item: rank_pb2.RankedItem) -> RankedItem:
    explained = item.HasField("explanation")
    why = _explanation(item.explanation) if explained else None
    return RankedItem(item.id, item.score, why, item.propensity)


def _explanation(part: rank_pb2.Explanation) -> Explanation:
    return Explanation(
        offset=part.offset,
        slow=part.slow,
        fast=part.fast,
        near=part.near,
        repeat=part.repeat,
        query=part.query,
        contributions=tuple(
            Contribution(
                event_id=share.event_id,
                item=share.item,
                signal=share.signal,
                occurred_at=from_microseconds(share.occurred_at_us),
                share=share.share,
                value=share.value if share.HasField("value") else None,
            )
            for share in part.contributions
        ),
    )


def event_results(
    events: Sequence[Event], reply: feedback_pb2.FeedbackReply
) -> tuple[EventResult, ...]:
    """One result for each event sent, in the order of the events.

    Raises:
        ServerError: the number of results differs from the number of events, or a status is
            unknown to this release.
    """
    if len(reply.results) != len(events):
        raise ServerError(
            f"the reply holds {len(reply.results)} results, expected one for each of "
            f"{len(events)} events"
        )
    return tuple(
        EventResult(
            event_id=event.event_id,
            user=event.user,
            status=_status(result),
            state_version=result.state_version,
            reason=result.reason if result.status else "",
            message=result.message,
        )
        for event, result in zip(events, reply.results, strict=True)
    )


def _status(result: feedback_pb2.EventResult) -> EventStatus:
    found = _STATUS.get(result.status)
    if found is None and not result.status and result.reason == SPOOLED:
        return EventStatus.SPOOLED
    if found is None:
        # A newer server sent it. An error is better than a wrong answer.
        raise ServerError(f"the reply holds the event status {result.status}, unknown here")
    return found


def reservations(reply: reserve_pb2.ReserveReply) -> Reservations:
    """The reservations in a reply.

    Raises:
        ServerError: a reason is unknown to this release.
    """
    return Reservations(
        reserved=tuple(
            Reservation(one.item, from_microseconds(one.lapses_at_us)) for one in reply.reserved
        ),
        refused=tuple(Unreserved(one.item, _unreserved(one.reason)) for one in reply.refused),
    )


def _unreserved(reason: reserve_pb2.Unreserved.Reason) -> UnreservedReason:
    try:
        return _UNRESERVED_REASON[reason]
    except KeyError:
        # A newer server sent it. An error is better than a wrong answer.
        raise ServerError(f"the reply holds the reason {reason}, unknown here") from None


def put_items(replies: Sequence[catalog_pb2.PutItemsReply]) -> PutItemsResult:
    """Sums one or more replies; the versions and the item count are those of the last."""
    last = replies[-1]
    return PutItemsResult(
        catalog_version=last.catalog_version,
        encoder_version=last.encoder_version,
        changed=sum(reply.changed for reply in replies),
        unchanged=sum(reply.unchanged for reply in replies),
        encoded=sum(reply.encoded for reply in replies),
        item_count=last.item_count,
    )


def delete_items(replies: Sequence[catalog_pb2.DeleteItemsReply]) -> DeleteItemsResult:
    """Sums one or more replies; the version and the item count are those of the last."""
    last = replies[-1]
    return DeleteItemsResult(
        catalog_version=last.catalog_version,
        deleted=sum(reply.deleted for reply in replies),
        unknown=tuple(id for reply in replies for id in reply.unknown),
        item_count=last.item_count,
    )


def get_items(replies: Sequence[catalog_pb2.GetItemsReply]) -> GetItemsResult:
    """Joins the items of one or more replies; versions and item count are those of the last."""
    last = replies[-1]
    return GetItemsResult(
        items=tuple(_item(item) for reply in replies for item in reply.items),
        unknown=tuple(id for reply in replies for id in reply.unknown),
        catalog_version=last.catalog_version,
        encoder_version=last.encoder_version,
        item_count=last.item_count,
    )


def _item(item: item_pb2.Item) -> Item:
    return Item(item.id, item.text, dict(item.attributes))


def user_state(reply: user_pb2.GetUserReply) -> UserState:
    """A user's record."""
    return UserState(
        user=reply.user,
        state_version=reply.state_version,
        window=tuple(
            WindowEvent(
                item=event.item,
                occurred_at=from_microseconds(event.occurred_at_us),
                reward=event.reward,
                weight=event.weight,
            )
            for event in reply.window
        ),
        catalog_version=reply.catalog_version,
        slow=tuple(reply.slow),
        fast=tuple(reply.fast),
    )


def logged_events(rows: Iterable[user_pb2.LoggedEvent]) -> list[LoggedEvent]:
    """Rows of the event log, in the order of the reply."""
    return [
        LoggedEvent(
            event=_event(row.event),
            state_version=row.state_version,
            accepted_at=from_microseconds(row.accepted_at_us),
            cost_micros=row.cost_micros if row.HasField("cost_micros") else None,
            reserved_at=(
                from_microseconds(row.reserved_at_us) if row.HasField("reserved_at_us") else None
            ),
        )
        for row in rows
    ]


def forget_receipt(reply: user_pb2.ForgetUserReply) -> ForgetReceipt:
    """The receipt of a deletion; a server that gives none tells the number of events alone."""
    deleted = {row.kind: int(row.rows) for row in reply.deleted}
    if not deleted and reply.deleted_events:
        deleted = {"events": int(reply.deleted_events)}
    return ForgetReceipt(reply.receipt_id, from_microseconds(reply.forgotten_at_us), deleted)


def _event(event: event_pb2.Event) -> Event:
    return Event(
        user=event.user,
        item=event.item,
        signal=event.signal,
        value=event.value if event.HasField("value") else None,
        occurred_at=from_microseconds(event.occurred_at_us),
        recommendation_id=event.recommendation_id,
        event_id=event.event_id,
        context=dict(event.context),
        exposure=_exposure(event.exposure) if event.HasField("exposure") else None,
    )


def _exposure(exposure: event_pb2.Exposure) -> Exposure:
    return Exposure(
        exposure.position, exposure.propensity, exposure.propensity_estimated, exposure.score
    )


def embeddings(replies: Sequence[embed_pb2.EmbedReply]) -> Embeddings:
    """Joins the vectors of one or more replies, in order.

    Raises:
        ServerError: the replies come from different encoders.
    """
    last = replies[-1]
    if len({(reply.dimensions, reply.encoder_version) for reply in replies}) > 1:
        # Vectors from two encoders are not comparable, so they must not share one result.
        raise ServerError("the encoder was replaced between two calls; embed the texts again")
    return Embeddings(
        data=b"".join(reply.vectors for reply in replies),
        dimensions=last.dimensions,
        encoder_version=last.encoder_version,
    )
