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
from penchant.logs.unknown_items import LOOKED_AT, MANY, likely_cause, other_spellings
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant_sdk import Event, EventStatus, Penchant


def import_events(
    request: Annotated[ImportEventsRequest, FLAT], *, server: ConnectionOptions = LOCAL
) -> int:
    """Learns from events; an event that is known already changes nothing."""
    newest_us = 0
    unknown = _UnknownItems()

    def noted(batch: Sequence[types.Event], sent: SentBatch) -> SentBatch:
        nonlocal newest_us
        unknown.add(batch, sent)
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
        warning = unknown.warning(penchant)
    if warning:
        terminal().say(f"Warning: {printable(warning)}", "yellow")
    if newest_us and (note := age_note(newest_us, time.time_ns() // 1000)):
        terminal().say(note, "yellow")
    return status


class _UnknownItems:
    """The events that are refused because the server does not hold their items."""

    def __init__(self) -> None:
        self._events = self._count = 0
        self._ids: dict[str, None] = {}

    def add(self, batch: Sequence[types.Event], sent: SentBatch) -> None:
        """Counts the refused events of a call."""
        unknown = [at for at, why in sent.refused.items() if why.startswith(_UNKNOWN_ITEM)]
        self._events += len(batch)
        self._count += len(unknown)
        if len(self._ids) < LOOKED_AT:
            self._ids.update((batch[at].item, None) for at in unknown)

    def warning(self, penchant: Penchant) -> str:
        """Why most events are about other items; empty where most are not."""
        if not self._count or self._count < self._events * MANY:
            return ""
        first = next(iter(self._ids))
        found = f"{self._count:,} of {self._events:,} events are about items that the server does "
        found += f"not hold, such as {first[:64]!r}; "
        asked = list(self._ids)[:_ASKED]
        tried = dict.fromkeys(id_ for one in asked for id_ in other_spellings(one))
        held = penchant.get_items(list(tried)[:_MOST_ASKED] or [first])
        if not held.item_count:
            return found + "it holds none: import them first, with `penchant import items FILE`"
        cause = likely_cause(asked, [item.id for item in held.items])
        return found + (cause or "are the items imported, and is the item's column the right one?")


_UNKNOWN_ITEM = "UnknownItem:"
_ASKED, _MOST_ASKED = 40, 200
"""Ids that are looked up in other spellings, and the most of those."""


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
