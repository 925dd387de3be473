"""The messages of a spool: events as rows of its file, calls that deliver them, and replies."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from google.protobuf.message import DecodeError

from penchant_proto.v1 import event_pb2, feedback_pb2, service_pb2
from penchant_sdk._operations import EncodedCall, encode_call
from penchant_sdk._replies import SPOOLED
from penchant_sdk._spool_file import SpoolFile

log = logging.getLogger("penchant_sdk")


def events_in(rows: Iterable[bytes], file: SpoolFile) -> list[event_pb2.Event]:
    """The events in rows of a file; a row that is none costs no other."""
    events = []
    for row in rows:
        try:
            events.append(event_pb2.Event.FromString(row))
        except DecodeError:
            log.error("spool %s: a row of %d bytes is no event, and left out", file.path, len(row))
    return events


def delivery(events: Sequence[event_pb2.Event]) -> EncodedCall:
    """The call that delivers events."""
    call = service_pb2.Call()
    call.feedback.events.extend(events)
    return encode_call("feedback", call)


def spooled(event: event_pb2.Event) -> feedback_pb2.EventResult:
    """What is said of an event that waits."""
    return feedback_pb2.EventResult(event_id=event.event_id, reason=SPOOLED)


def reply_of(results: Sequence[feedback_pb2.EventResult]) -> service_pb2.Reply:
    """The reply to a feedback call, with what became of each event."""
    reply = service_pb2.Reply()
    reply.feedback.results.extend(results)
    return reply
