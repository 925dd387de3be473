"""Feedback: a call's events, and the result of each."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.service.event_results import EventResult, EventStatus, FeedbackRequest
from penchant.wire.event import event_of
from penchant_proto.v1 import feedback_pb2
from penchant_proto.v1.service_pb2 import Reply

_STATUS = {
    EventStatus.ACCEPTED: feedback_pb2.EventResult.STATUS_ACCEPTED,
    EventStatus.DUPLICATE: feedback_pb2.EventResult.STATUS_DUPLICATE,
    EventStatus.REFUSED: feedback_pb2.EventResult.STATUS_REFUSED,
}


def feedback_request(message: feedback_pb2.FeedbackRequest, now_us: int) -> FeedbackRequest:
    """A call's events; `now_us` is the time of events that state none."""
    return FeedbackRequest(tuple([event_of(event, now_us) for event in message.events]))


def feedback_reply(results: Sequence[EventResult]) -> Reply:
    """The results of one call's events, in order."""
    reply = Reply()
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
