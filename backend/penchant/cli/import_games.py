"""`penchant import games`: Debian's games as a catalogue, or a log of hours with its games."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from penchant.cli.client import LOCAL, ConnectionOptions, connected, counted
from penchant.cli.import_hours import HoursFiles, import_hours
from penchant.domain import types
from penchant.domain.errors import ConfigError
from penchant.logs.datasets.debian_control import read_metadata, stanzas
from penchant.logs.datasets.debian_games import read_games
from penchant.logs.datasets.debian_snapshot import SNAPSHOT, read_items, write_items
from penchant.report.page import check_writable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant_proto.v1 import games_pb2
from penchant_sdk import Item
from penchant_sdk.games import Game, GameClient

_KINDS_NAMED = 8


@dataclass(frozen=True, slots=True)
class ImportGamesRequest:
    """Where the games come from, and where they go."""

    file: Path | None = None
    """Debian control data, as `apt-cache dumpavail` prints it; by default, this machine's."""
    snapshot: bool = False
    """Take the 530 games of Debian 12 that Penchant carries."""
    hours: Path | None = None
    """A log of play instead, CSV, TSV, JSON lines or Parquet: user, title and hours, with or
    without a heading. Games that the server lacks are put, and the hours become events."""
    mapped: Annotated[
        tuple[str, ...], Parameter(name="--map", metavar="COLUMN=FIELD", show_default=False)
    ] = ()
    """With --hours: take user, title, hours, behavior or occurred_at from this column;
    repeatable."""
    output: Path | None = None
    """Write the games as Parquet for `import items`, and put nothing."""
    events_output: Path | None = None
    """With --hours: write the events as Parquet for `import events`, and send nothing."""


def import_games(
    *,
    request: Annotated[ImportGamesRequest, FLAT] = ImportGamesRequest(),
    server: ConnectionOptions = LOCAL,
) -> int:
    """Puts the games among Debian's packages with their descriptions and kinds, or a log of hours.

    Hours count by the quarter of each game's own players that they fall into: ten hours of a short
    game say more than ten of an endless one. What a player has in the library leaves the lists.
    """
    if request.hours is not None:
        if request.snapshot or request.file is not None:
            raise ConfigError("--hours: expected neither --file nor --snapshot with it")
        files = HoursFiles(request.hours, request.mapped, request.output, request.events_output)
        return import_hours(files, server)
    if request.mapped or request.events_output is not None:
        raise ConfigError("--map, --events-output: got one without --hours FILE, expected both")
    if request.output is not None:
        check_writable(request.output, "--output", [request.file])
    found = snapshot_games() if request.snapshot else debian_games(request.file)
    console = terminal()
    kinds = Counter(genre for game in found for genre in game.genres).most_common(_KINDS_NAMED)
    named = ", ".join(f"{kind} {count}" for kind, count in kinds)
    console.print(Text(f"{counted(len(found), 'game')}: {named} ..."), soft_wrap=True)
    if request.output is not None:
        write_items([domain_item(game.to_item()) for game in found], request.output)
        console.print(Text(f"Written to {request.output}."))
        return 0
    with connected(server) as penchant:
        put = GameClient(penchant).put_games(found)
    console.print(f"{put.changed:,} new or changed, {put.unchanged:,} unchanged.")
    return 0


def debian_games(file: Path | None = None) -> list[Game]:
    """Reads the games of a file, or of this machine's package lists.

    Raises:
        ConfigError: there is no list, or it names no game.
    """
    found = [game_of(message) for message in read_games(stanzas(read_metadata(file)))]
    if not found:
        raise ConfigError(f"{file}: got no game, expected Debian packages of section games")
    return found


def snapshot_games() -> list[Game]:
    """Reads the games that Penchant carries."""
    return [
        Game.from_item(Item(item.id, item.text, item.attributes)) for item in read_items(SNAPSHOT)
    ]


def game_of(message: games_pb2.Game) -> Game:
    """Converts a message to a game of the SDK."""
    return Game(
        id=message.id,
        name=message.name,
        summary=message.summary,
        description=message.description,
        genres=tuple(message.genres),
        tags=tuple(message.tags),
        homepage=message.homepage,
    )


def domain_item(item: Item) -> types.Item:
    """Converts an item of the SDK to one of the backend."""
    return types.Item(item.id, item.text, dict(item.attributes))
