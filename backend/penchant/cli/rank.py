"""`penchant rank`: the best items for a user, and why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.cli.client import (
    DEFAULT_TARGET,
    Context,
    Target,
    connected,
    counted,
    names_of,
    parse_context,
    parse_time,
)
from penchant_sdk import Explanation, Ranking

REASONS = 3
"""Past events named for an item."""


def rank(
    user: Annotated[str, typer.Argument(help="For whom; a new name gets everybody's favourites.")],
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many items.")] = 10,
    query: Annotated[str, typer.Option(help="What is wanted now, in free text.")] = "",
    candidates: Annotated[
        str | None,
        typer.Option(metavar="ID,ID,...", help="Items to choose from.", show_default="all"),
    ] = None,
    exclude_seen: Annotated[
        bool, typer.Option("--exclude-seen", help="Leave out what the user's events are about.")
    ] = False,
    exclude_owned: Annotated[
        bool,
        typer.Option("--exclude-owned", help="Leave out what is the user's own (purchased)."),
    ] = False,
    context: Context = None,
    diversity: Annotated[
        float,
        typer.Option(min=0, max=1, help="How much the items shall differ; 0: by score alone."),
    ] = 0.0,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Rank as if it were this time: ISO 8601 or epoch seconds; for old logs.",
            show_default="now",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the parts of each score and the reasons.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the reply as JSON.")] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Ranks items for a user."""
    listed = None if candidates is None else [id_.strip() for id_ in candidates.split(",")]
    with connected(target) as penchant:
        ranking = penchant.rank(
            user,
            k=k,
            query=query,
            candidates=None if listed is None else [id_ for id_ in listed if id_],
            exclude_seen=exclude_seen,
            exclude_owned=exclude_owned,
            context=parse_context(context),
            diversity=diversity,
            explain=explain,
            as_of=parse_time(as_of, "as-of"),
        )
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(ranking), default=_json_ready, indent=2))
            return
        names = names_of(penchant, [*ranking.ids, *_reason_ids(ranking)])
    console = Console()
    console.print(ranking_table(ranking, names))
    console.print(Text(_summary(user, ranking), style="dim"), soft_wrap=True)


def ranking_table(ranking: Ranking, names: Mapping[str, str]) -> Table:
    """A ranking as people read it; with its explanations, where it has them."""
    explained = any(item.explanation for item in ranking.items)
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", justify="right", style="dim")
    table.add_column("item", overflow="fold", ratio=1 if explained else None)
    table.add_column("score", justify="right")
    if explained:
        table.add_column("is made of", no_wrap=True)
        table.add_column("because of", overflow="fold", ratio=1)
    for place, item in enumerate(ranking.items, start=1):
        cells: list[str | Text] = [str(place), label(item.id, names), f"{item.score:.2f}"]
        if item.explanation:
            cells += [parts(item.explanation), reasons(item.explanation, names)]
        table.add_row(*cells)
    return table


def label(item: str, names: Mapping[str, str]) -> Text:
    """An item's name and, dimmed, its id."""
    if item not in names:
        return Text(item)
    return Text.assemble(names[item], "  ", (item, "dim"))


def parts(why: Explanation) -> Text:
    """The parts of a score, one a line; they sum to it."""
    lines = [f"{why.offset:+.2f} everybody", f"{why.slow:+.2f} lasting taste"]
    lines.append(f"{why.fast:+.2f} recent likes")
    if why.near:
        lines.append(f"{why.near:+.2f} what others turn to next")
    if why.query:
        lines.append(f"{why.query:+.2f} the query")
    return Text("\n".join(lines))


def reasons(why: Explanation, names: Mapping[str, str], most: int = REASONS) -> Text:
    """The past events that weigh most, one a line, each with what it adds to the score."""
    return Text("\n").join(
        Text(f"{share.share:+.2f} {names.get(share.item, share.item or 'a deleted item')}")
        for share in why.contributions[:most]
    )


def _reason_ids(ranking: Ranking) -> Iterable[str]:
    for item in ranking.items:
        if item.explanation:
            yield from (share.item for share in item.explanation.contributions[:REASONS])


def _summary(user: str, ranking: Ranking) -> str:
    known = "a user without events"
    if not ranking.cold_start:
        known = counted(ranking.state_version, "event")
    text = f"{user}: {known}. Recommendation {ranking.recommendation_id}."
    if ranking.unknown_candidates:
        text += f" Not in the catalog: {', '.join(ranking.unknown_candidates)}."
    if not ranking.items:
        text += " Nothing to rank: the catalog is empty, or all of it was left out."
    return text


def _json_ready(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
