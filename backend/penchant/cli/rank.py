"""`penchant rank`: the best items for a user, and why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from penchant.cli.client import (
    LOCAL,
    ConnectionOptions,
    ContextPairs,
    connected,
    counted,
    names_of,
    parse_context,
    parse_time,
)
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT, Flag, shows
from penchant_sdk import Contribution, Explanation, Penchant, Ranking

REASONS = 3
"""Past events named per item."""


@dataclass(frozen=True, slots=True)
class RankOptions:
    """The options of a ranking."""

    k: Annotated[int, Parameter(name="-k", validator=Number(gte=1, lte=1000))] = 10
    """Number of items."""
    query: str = ""
    """What the user wants now, in free text."""
    candidates: Annotated[
        str | None, Parameter(metavar="ID,ID,...", show_default=shows("all items"))
    ] = None
    """Items to choose from."""
    exclude_seen: Flag = False
    """Leave out the items of the user's events."""
    exclude_owned: Flag = False
    """Leave out the items that the user owns, such as purchases."""
    context: ContextPairs = ()
    """Circumstances of the ranking, such as room=kitchen; repeatable."""
    diversity: Annotated[float, Parameter(validator=Number(gte=0, lte=1))] = 0.0
    """How strongly to favour variety, 0 to 1; 0 ranks by score alone."""
    as_of: Annotated[str | None, Parameter(metavar="TIME", show_default=shows("now"))] = None
    """Rank as of this time, for old logs: ISO 8601 or epoch seconds."""
    explain: Flag = False
    """Show the parts of each score, and the past events behind them."""
    json: Flag = False
    """Print the reply as JSON."""


def rank(
    user: Annotated[
        str, Parameter(help="User to rank for; a new one gets the favourites of all users.")
    ],
    /,
    *,
    options: Annotated[RankOptions, FLAT] = RankOptions(),
    server: ConnectionOptions = LOCAL,
) -> None:
    """Ranks items for a user."""
    with connected(server) as penchant:
        ranking = _rank(penchant, user, options)
        if options.json:
            print(json.dumps(dataclasses.asdict(ranking), default=_json_ready, indent=2))
            return
        names = names_of(penchant, [*ranking.ids, *_reason_ids(ranking)])
    console = terminal()
    console.print(ranking_table(ranking, names))
    console.say(_summary(user, ranking), "dim")


def _rank(penchant: Penchant, user: str, options: RankOptions) -> Ranking:
    given = None if options.candidates is None else options.candidates.split(",")
    return penchant.rank(
        user,
        k=options.k,
        query=options.query,
        candidates=None if given is None else [id_.strip() for id_ in given if id_.strip()],
        exclude_seen=options.exclude_seen,
        exclude_owned=options.exclude_owned,
        context=parse_context(options.context),
        diversity=options.diversity,
        explain=options.explain,
        as_of=parse_time(options.as_of, "as-of"),
    )


def ranking_table(ranking: Ranking, names: Mapping[str, str]) -> Table:
    """A ranking as a table, with its explanations if it has any."""
    explained = any(item.explanation for item in ranking.items)
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("", justify="right", style="dim")
    table.add_column("item", overflow="fold", ratio=1 if explained else None)
    table.add_column("score", justify="right")
    if explained:
        table.add_column("is made of", no_wrap=True)
        table.add_column("because of", overflow="fold", ratio=1)
    because = ranking.reasons(REASONS)
    for place, item in enumerate(ranking.items, start=1):
        cells: list[str | Text] = [str(place), label(item.id, names), f"{item.score:.2f}"]
        if item.explanation:
            cells += [parts(item.explanation), reasons(because[place - 1], names)]
        table.add_row(*cells)
    return table


def label(item: str, names: Mapping[str, str]) -> Text:
    """The name of an item and, dimmed, its id."""
    if item not in names:
        return Text(printable(item))
    return Text.assemble(names[item], "  ", (printable(item), "dim"))


def parts(why: Explanation) -> Text:
    """The parts of a score, one per line; their sum is the score."""
    lines = [f"{why.offset:+.2f} everybody", f"{why.slow:+.2f} lasting taste"]
    lines.append(f"{why.fast:+.2f} recent likes")
    if why.near:
        lines.append(f"{why.near:+.2f} what others turn to next")
    if why.repeat:
        lines.append(f"{why.repeat:+.2f} liked before")
    if why.query:
        lines.append(f"{why.query:+.2f} the query")
    return Text("\n".join(lines))


def reasons(because: Iterable[Contribution], names: Mapping[str, str]) -> Text:
    """Past events, one per line with its share of the score."""
    return Text("\n").join(
        Text(f"{share.share:+.2f} {names.get(share.item) or printable(share.item)}")
        for share in because
    )


def _reason_ids(ranking: Ranking) -> Iterable[str]:
    return (share.item for because in ranking.reasons(REASONS) for share in because)


def _summary(user: str, ranking: Ranking) -> str:
    known = "a user without events"
    if not ranking.cold_start:
        known = counted(ranking.state_version, "event")
    text = f"{printable(user)}: {known}. Recommendation {ranking.recommendation_id}."
    if ranking.unknown_candidates:
        text += f" Not in the catalog: {', '.join(map(printable, ranking.unknown_candidates))}."
    if not ranking.items:
        text += " Nothing to rank: the catalog is empty, or all of it was left out."
    return text


def _json_ready(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
