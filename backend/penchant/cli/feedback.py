"""`penchant feedback`: tell what a user did with an item."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from penchant.cli.client import (
    DEFAULT_TARGET,
    Context,
    Target,
    connected,
    parse_context,
    parse_time,
)
from penchant_sdk import Event, EventStatus


def feedback(
    user: Annotated[str, typer.Argument(help="Who did it.")],
    item: Annotated[str, typer.Argument(help="With which item of the catalog.")],
    signal: Annotated[
        str, typer.Argument(help="What it was: like, dislike, click, view, rating, ...")
    ],
    value: Annotated[
        float | None, typer.Option(help="What the signal measures, for example stars of a rating.")
    ] = None,
    occurred_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="ISO 8601 or epoch seconds.", show_default="now"),
    ] = None,
    recommendation_id: Annotated[
        str, typer.Option(help="The ranking that led to it, as `penchant rank` names it.")
    ] = "",
    event_id: Annotated[
        str | None,
        typer.Option(help="Sent again, it changes nothing.", show_default="a new one"),
    ] = None,
    context: Context = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Learns from one event; the user's next ranking uses it."""
    when = parse_time(occurred_at, "occurred-at")
    with connected(target) as penchant:
        event = Event(
            user=user,
            item=item,
            signal=signal,
            value=value,
            occurred_at=datetime.now(UTC) if when is None else when,
            recommendation_id=recommendation_id,
            context=parse_context(context),
        )
        if event_id is not None:
            event = replace(event, event_id=event_id)
        ack = penchant.feedback([event])
        ack.raise_for_refused()
    known = ack.results[0].status is EventStatus.DUPLICATE
    what = "Known already, nothing changed" if known else "Learnt"
    Console().print(
        Text.assemble(
            f"{what}: {user} is at version {ack.state_version(user)}. ",
            (f"Event {event.event_id}.", "dim"),
        )
    )
