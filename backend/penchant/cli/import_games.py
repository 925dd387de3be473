"""`penchant import games`: the games among Debian's packages as a catalogue."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.text import Text

from penchant.cli.client import LOCAL, ConnectionOptions, connected, counted
from penchant.domain import types
from penchant.domain.errors import ConfigError
from penchant.logs.datasets.debian_control import read_metadata, stanzas
from penchant.logs.datasets.debian_games import read_games
from penchant.logs.datasets.debian_snapshot import SNAPSHOT, read_items, write_items
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant_proto.v1 import games_pb2
from penchant_sdk import Item
from penchant_sdk.games import Game, GameClient

_KINDS_NAMED = 8


@dataclass(frozen=True, slots=True)
class ImportGamesRequest:
    """Debian's games: where their descriptions come from, and where they go."""

    file: Path | None = None
    """Debian control data, as `apt-cache dumpavail` prints it; by default, this machine's."""
    snapshot: bool = False
    """Take the 530 games of Debian 12 that Penchant carries."""
    output: Path | None = None
    """Write a Parquet file for `import items`, and put nothing."""


def import_games(
    *,
    request: Annotated[ImportGamesRequest, FLAT] = ImportGamesRequest(),
    server: ConnectionOptions = LOCAL,
) -> None:
    """Puts the games among Debian's packages, with their descriptions and kinds."""
    found = snapshot_games() if request.snapshot else debian_games(request.file)
    console = terminal()
    kinds = Counter(genre for game in found for genre in game.genres).most_common(_KINDS_NAMED)
    named = ", ".join(f"{kind} {count}" for kind, count in kinds)
    console.print(Text(f"{counted(len(found), 'game')}: {named} ..."), soft_wrap=True)
    if request.output is not None:
        write_items([domain_item(game.to_item()) for game in found], request.output)
        console.print(Text(f"Written to {request.output}."))
        return
    with connected(server) as penchant:
        put = GameClient(penchant).put_games(found)
    console.print(f"{put.changed:,} new or changed, {put.unchanged:,} unchanged.")


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
