"""`penchant user`: show, export or forget a user, or make one user of two."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from cyclopts.validators import Number
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from penchant.cli.client import LOCAL, ConnectionOptions, connected, counted, names_of
from penchant.cli.rank import label
from penchant.domain.errors import ConfigError
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.option_types import FLAT, Flag
from penchant_sdk import Penchant, UserState


@dataclass(frozen=True, slots=True)
class UserOptions:
    """What to do with a user's data."""

    last: Annotated[int, Parameter(validator=Number(gte=1))] = 20
    """Number of latest events to show."""
    export: Annotated[Path | None, Parameter(metavar="FILE", allow_leading_hyphen=True)] = None
    """Write all that is kept of the user to this file as JSON; - is the terminal."""
    forget: Flag = False
    """Delete all that is kept of the user, for good."""
    yes: Flag = False
    """Delete without asking."""


app = App(
    name="user",
    help="Shows the data of a user, exports it, deletes it, or moves it to another user.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)


@app.default
def user(
    user: Annotated[str, Parameter(help="User to show, export or forget.")],
    /,
    *,
    options: Annotated[UserOptions, FLAT] = UserOptions(),
    server: ConnectionOptions = LOCAL,
) -> int:
    """Shows the data of a user, exports it, or deletes it (after the export, if both)."""
    console = terminal()
    with connected(server) as penchant:
        if options.export is not None:
            _export(console, penchant, user, options.export)
        if options.forget:
            if not options.yes and not _confirmed(f"Delete all data of {printable(user)}?"):
                print("Aborted.", file=sys.stderr)
                return 1
            receipt = penchant.forget_user(user)
            deleted = ", ".join(f"{kind} {rows}" for kind, rows in sorted(receipt.deleted.items()))
            console.say(
                f"{printable(user)} is forgotten since {receipt.forgotten_at:%Y-%m-%d %H:%M:%S} "
                f"UTC; deleted rows: {deleted}. Receipt: {receipt.id}"
            )
        if options.export is None and not options.forget:
            state = penchant.user(user)
            names = names_of(penchant, [event.item for event in state.window[: options.last]])
            console.print(_table(state, names, options.last))
    return 0


@app.command
def merge(
    from_user: Annotated[str, Parameter(help="User to move from: a visitor who signs in.")],
    to_user: Annotated[str, Parameter(help="User to move to.")],
    /,
    *,
    server: ConnectionOptions = LOCAL,
) -> None:
    """Makes one user of two: all that is kept of the first becomes the second's.

    A repetition finds nothing to move. The data of a user named merge: `penchant user -- merge`.
    """
    with connected(server) as penchant:
        merged = penchant.merge_users(from_user, to_user)
    terminal().say(
        f"{counted(merged.moved_events, 'event')} of {printable(from_user)} moved to "
        f"{printable(to_user)}, which is at state version {merged.state_version}."
    )


def _export(console: Terminal, penchant: Penchant, user: str, path: Path) -> None:
    everything = penchant.export_user(user)
    on_screen = str(path) == "-"
    # On a screen every other character is an escape of JSON: the same content, whatever it holds.
    text = json.dumps(everything.to_json_ready(), indent=2, ensure_ascii=on_screen)
    if on_screen:
        print(text)
        return
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"export: {path} can't be written: {error.strerror}") from error
    console.say(
        f"{counted(len(everything.events), 'event')} of {printable(user)} written to {path}."
    )


def _confirmed(question: str) -> bool:
    """Whether the answer is yes; no answer is no."""
    try:
        answer = input(f"{question} [y/N]: ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _table(state: UserState, names: dict[str, str], last: int) -> Table:
    shown = state.window[:last]
    caption = f"{counted(state.state_version, 'event')} accepted, {len(state.window)} in the window"
    if len(shown) < len(state.window):
        caption += f", the latest {len(shown)} shown"
    table = Table(title=Text(printable(state.user)), caption=Text(caption), box=SIMPLE)
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
