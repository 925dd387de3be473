"""`penchant user`: what is known of a user; take it out, or delete it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.cli.client import DEFAULT_TARGET, Target, connected, counted, names_of
from penchant.cli.rank import label
from penchant.domain.errors import ConfigError
from penchant_sdk import UserState


def user(
    user: Annotated[str, typer.Argument(help="Whom.")],
    last: Annotated[int, typer.Option(min=1, help="How many of the latest events to show.")] = 20,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write record and log as JSON; - is the terminal."),
    ] = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Delete the record and every row of the log.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before deleting.")] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Shows what is known of a user, exports it, or deletes it (after the export, if both)."""
    console = Console()
    with connected(target) as penchant:
        if export is not None:
            everything = penchant.export_user(user)
            _write(export, json.dumps(everything.to_json_ready(), indent=2, ensure_ascii=False))
            if str(export) != "-":
                console.print(
                    Text(
                        f"{counted(len(everything.events), 'event')} of {user} written to {export}."
                    )
                )
        if forget:
            if not yes:
                typer.confirm(f"Delete all that is known of {user}?", abort=True)
            deleted = penchant.forget_user(user)
            console.print(Text(f"{user} is forgotten: {counted(deleted, 'event')} deleted."))
        if export is None and not forget:
            state = penchant.user(user)
            names = names_of(penchant, [event.item for event in state.window[:last]])
            console.print(_table(state, names, last))


def _table(state: UserState, names: dict[str, str], last: int) -> Table:
    shown = state.window[:last]
    caption = f"{counted(state.state_version, 'event')} accepted, {len(state.window)} in the window"
    if len(shown) < len(state.window):
        caption += f", the latest {len(shown)} shown"
    table = Table(title=Text(state.user), caption=Text(caption), box=SIMPLE)
    table.title_justify = table.caption_justify = "left"
    table.add_column("when (UTC)")
    table.add_column("item", overflow="fold")
    table.add_column("reward", justify="right")
    table.add_column("weight", justify="right")
    for event in shown:
        item = label(event.item, names) if event.item else Text("deleted", style="dim")
        when = f"{event.occurred_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(when, item, f"{event.reward:+.2f}", f"{event.weight:g}")
    return table


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        typer.echo(text)
        return
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"export: {path} can't be written: {error.strerror}") from error
