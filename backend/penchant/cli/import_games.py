"""`penchant import games`: the games among Debian's packages as a catalogue."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from penchant.cli.client import DEFAULT_TARGET, Target, connected, counted
from penchant.domain import types
from penchant.domain.errors import ConfigError
from penchant.logs.datasets.debian_control import read_metadata, stanzas
from penchant.logs.datasets.debian_games import read_games
from penchant.logs.datasets.debian_snapshot import SNAPSHOT, read_items, write_items
from penchant_proto.v1 import games_pb2
from penchant_sdk import Item
from penchant_sdk.games import Game, GameClient

_KINDS_NAMED = 8


def games(
    file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Debian control data, as `apt-cache dumpavail` prints it.",
            show_default="this machine's apt, or dpkg",
        ),
    ] = None,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="The 530 games of Debian 12 that Penchant carries.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(help="Write a Parquet file for `import items`, and put nothing."),
    ] = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Puts the games among Debian's packages, with their descriptions and kinds."""
    found = snapshot_games() if snapshot else debian_games(file)
    console = Console(highlight=False)
    kinds = Counter(genre for game in found for genre in game.genres).most_common(_KINDS_NAMED)
    told = ", ".join(f"{kind} {count}" for kind, count in kinds)
    console.print(Text(f"{counted(len(found), 'game')}: {told} ..."), soft_wrap=True)
    if output is not None:
        write_items([domain_item(game.to_item()) for game in found], output)
        console.print(Text(f"Written to {output}."))
        return
    with connected(target) as penchant:
        put = GameClient(penchant).put_games(found)
    console.print(f"{put.changed:,} new or changed, {put.unchanged:,} unchanged.")


def debian_games(file: Path | None = None) -> list[Game]:
    """The games that a file or this machine's package lists name.

    Raises:
        ConfigError: there is no list, or no game in it.
    """
    found = [game_of(message) for message in read_games(stanzas(read_metadata(file)))]
    if not found:
        raise ConfigError(f"{file}: got no game, expected Debian packages of section games")
    return found


def snapshot_games() -> list[Game]:
    """The games that Penchant carries."""
    return [
        Game.from_item(Item(item.id, item.text, item.attributes)) for item in read_items(SNAPSHOT)
    ]


def game_of(message: games_pb2.Game) -> Game:
    """The SDK's game of a message."""
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
    """The backend's item of an SDK item."""
    return types.Item(item.id, item.text, dict(item.attributes))
