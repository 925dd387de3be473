"""`penchant feedback`: report an action of a user on an item."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from penchant.cli.client import (
    LOCAL,
    ConnectionOptions,
    ContextPairs,
    connected,
    parse_context,
    parse_time,
)
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT, shows
from penchant_sdk import Event, EventStatus


@dataclass(frozen=True, slots=True)
class EventOptions:
    """The optional fields of an event."""

    value: float | None = None
    """Measure of the signal, such as the stars of a rating."""
    occurred_at: Annotated[str | None, Parameter(metavar="TIME", show_default=shows("now"))] = None
    """Time of the action: ISO 8601 or epoch seconds."""
    recommendation_id: str = ""
    """Ranking that led to the action, as `penchant rank` prints it."""
    event_id: Annotated[str | None, Parameter(show_default=shows("a new one"))] = None
    """Id of the event; a repetition changes nothing."""
    context: ContextPairs = ()
    """Circumstances of the action, such as room=kitchen; repeatable."""


def feedback(
    user: Annotated[str, Parameter(help="User who acted.")],
    item: Annotated[str, Parameter(help="Item of the catalog that the user acted on.")],
    signal: Annotated[
        str, Parameter(help="Kind of action: like, dislike, click, view, rating, ...")
    ],
    /,
    *,
    options: Annotated[EventOptions, FLAT] = EventOptions(),
    server: ConnectionOptions = LOCAL,
) -> None:
    """Learns from one event; the user's next ranking uses it."""
    event = _event(user, item, signal, options)
    with connected(server) as penchant:
        ack = penchant.feedback([event])
        ack.raise_for_refused()
    known = ack.results[0].status is EventStatus.DUPLICATE
    what = "Known already, nothing changed" if known else "Learnt"
    terminal().print(
        Text.assemble(
            f"{what}: {printable(user)} is at version {ack.state_version(user)}. ",
            (f"Event {printable(event.event_id)}.", "dim"),
        )
    )


def _event(user: str, item: str, signal: str, options: EventOptions) -> Event:
    when = parse_time(options.occurred_at, "occurred-at")
    event = Event(
        user=user,
        item=item,
        signal=signal,
        value=options.value,
        occurred_at=datetime.now(UTC) if when is None else when,
        recommendation_id=options.recommendation_id,
        context=parse_context(options.context),
    )
    return event if options.event_id is None else replace(event, event_id=options.event_id)
