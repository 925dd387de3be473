"""The part of `penchant import games` that reads hours of play: who played what for how long."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

from penchant.cli.client import Connection, connected, counted
from penchant.cli.import_events import events_to
from penchant.domain.types import Event, Item
from penchant.logs.bulk_import import EVENTS_PER_CALL
from penchant.logs.datasets.debian_snapshot import write_items
from penchant.logs.datasets.play_hours import read_play_hours
from penchant.logs.datasets.play_signals import OWNED, QUARTERS, games_of, order_note, play_events
from penchant.logs.event_log import EventLog
from penchant.logs.event_rows import write_events
from penchant.logs.refusals import LeftOut
from penchant.report.page import check_writable
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.apart import check_not_read
from penchant_sdk import Penchant
from penchant_sdk.games import Game, GameClient

_KNOWN_ALREADY = "EventIdReused:"


@dataclass(frozen=True, slots=True)
class HoursFiles:
    """A log of hours, and the files to write instead of sending it to a server."""

    hours: Path
    mapped: tuple[str, ...] = ()
    games: Path | None = None
    events: Path | None = None


def import_hours(files: HoursFiles, server: Connection) -> int:
    """Puts the games of a log that the server lacks, and sends the hours as events.

    Returns the exit status: 1 if the server refused events.

    Raises:
        ConfigError: the log can't be read, or no server answers.
    """
    for path, option in ((files.games, "--output"), (files.events, "--events-output")):
        if path is not None:
            check_writable(path, option, [files.hours])
    if files.games is not None and files.events is not None:
        check_not_read(files.events, "--events-output", [files.games])
    console, left_out = terminal(), LeftOut()
    log = read_play_hours(files.hours, files.mapped, left_out)
    games, events = games_of(log), play_events(log, time.time_ns() // 1000)
    for line in [*_contents(games, events), order_note(log, len(events)), *left_out.notes()]:
        console.print(Text(printable(line)), soft_wrap=True)
    if files.games is None and files.events is None:
        with connected(server) as penchant:
            return _send(console, penchant, games, events)
    if files.games is not None:
        write_items(games, files.games)
        console.say(f"Games: {files.games}")
    if files.events is not None:
        write_events(events, files.events)
        console.say(f"Events: {files.events}")
    return 0


def _contents(games: Sequence[Item], events: EventLog) -> list[str]:
    counts = Counter(events.signal.to_list())
    signals = ", ".join(f"{name} {counts[name]:,}" for name in (OWNED, *QUARTERS) if counts[name])
    players = len(set(events.user.to_list()))
    found = f"{counted(players, 'player')}, {counted(len(games), 'game')}, "
    return [
        f"{found}{counted(len(events), 'event')}: {signals}",
        "Quarters are those of each game's own players; the last is that of its longest players.",
    ]


def _send(console: Terminal, penchant: Penchant, games: Sequence[Item], events: EventLog) -> int:
    lacking = set(penchant.get_items([game.id for game in games]).unknown)
    new = [Game(game.id, game.text) for game in games if game.id in lacking]
    if new:
        GameClient(penchant).put_games(new)
    console.print(f"{counted(len(new), 'game')} put, {len(games) - len(new):,} known already.")
    counts, refused = Counter[str](), list[str]()
    send, everything = events_to(penchant), list[Event](events)
    for start in range(0, len(everything), EVENTS_PER_CALL):
        sent = send(everything[start : start + EVENTS_PER_CALL])
        counts.update(sent.counts)
        again = [why for why in sent.refused.values() if why.startswith(_KNOWN_ALREADY)]
        counts["known already"] += len(again)
        refused += [why for why in sent.refused.values() if not why.startswith(_KNOWN_ALREADY)]
    known = counts["known already"]
    console.print(f"{counts['accepted']:,} events accepted, {known:,} known already.")
    if not refused:
        return 0
    console.say(f"{len(refused):,} events refused; the first: {printable(refused[0])}", "red")
    console.say("Is the server one for games? penchant serve --set signals=games", "yellow")
    return 1
