"""`penchant import events`: the events of a file, sent to a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Annotated

from penchant.cli.client import LOCAL, ConnectionOptions, connected
from penchant.cli.import_report import CALL_TIMEOUT_S, run_import
from penchant.cli.log_age import age_note
from penchant.domain import types
from penchant.logs import bulk_import
from penchant.logs.bulk_import import ImportEventsRequest, SentBatch
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant_sdk import Event, EventStatus, Penchant


def import_events(
    request: Annotated[ImportEventsRequest, FLAT], *, server: ConnectionOptions = LOCAL
) -> int:
    """Learns from events; an event that is known already changes nothing."""
    newest_us = 0

    def noted(batch: Sequence[types.Event], sent: SentBatch) -> SentBatch:
        nonlocal newest_us
        kept = [one.occurred_at_us for at, one in enumerate(batch) if at not in sent.refused]
        newest_us = max(newest_us, *kept, 0)
        return sent

    with connected(server) as penchant:
        send = events_to(penchant)
        status = run_import(
            request.file,
            lambda on_stage: bulk_import.import_events(
                request, server.target, lambda batch: noted(batch, send(batch)), on_stage
            ),
        )
    if newest_us and (note := age_note(newest_us, time.time_ns() // 1000)):
        terminal().say(note, "yellow")
    return status


def events_to(penchant: Penchant) -> Callable[[Sequence[types.Event]], SentBatch]:
    """Sends events; the server accepts or refuses each one by itself."""

    def send(batch: Sequence[types.Event]) -> SentBatch:
        ack = penchant.feedback([sdk_event(event) for event in batch], timeout_s=CALL_TIMEOUT_S)
        statuses = [result.status for result in ack.results]
        counts = {
            "accepted": statuses.count(EventStatus.ACCEPTED),
            "known already": statuses.count(EventStatus.DUPLICATE),
        }
        refused = {
            position: f"{result.reason}: {result.message}"
            for position, result in enumerate(ack.results)
            if result.status is EventStatus.REFUSED
        }
        return SentBatch(counts, refused)

    return send


def sdk_event(event: types.Event) -> Event:
    """Converts an event of the backend to one of the SDK."""
    return Event(
        user=event.user,
        item=event.item,
        signal=event.signal,
        value=event.value,
        occurred_at=event.occurred_at_us / 1e6,
        recommendation_id=event.recommendation_id,
        event_id=event.event_id,
        context=dict(event.context),
    )
