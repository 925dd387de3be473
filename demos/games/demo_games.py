"""`penchant demo-games`: simulated players of Debian's games on a real Triton."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators
from rich.console import Console
from rich.text import Text

from demos.demo_encoder import prepare_encoder
from demos.demo_server import connect, make_server, until_interrupted
from demos.games import games_charts, games_tables
from demos.games.diversity_sweep import Turned, turn_knob
from demos.games.games_charts import Shares
from demos.games.games_simulation import Player, World, make_players, play, tastes_of
from demos.games.players import GAME_SETTINGS, GamePlay
from demos.games.simple_recommenders import chance, popularity, truth
from demos.games.taste_switch import Switch, turn
from demos.progress_steps import bar, bars, step
from penchant.cli.import_games import snapshot_games
from penchant.launch.model_parameters import HOME
from penchant.system.option_types import FLAT
from penchant_sdk import Penchant
from penchant_sdk.games import Game, GameClient

PLAYERS, SESSIONS, DRIFT_AT, SEED = 40, 12, 6, 1
PICTURE, NUMBERS = "games.png", "games.json"
STORY = Player("ann", ("puzzle", "chess"), ("puzzle", "roguelike"), 0)
"""Whose turn to a new taste is shown."""

_GAMES_PER_CALL = 64


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it."""

    shares: dict[str, Shares]
    """By recommender, each of shape (sessions, players)."""
    knob: list[Turned]
    story: Switch
    recommend_s: list[float]
    feedback_s: list[float]


@dataclass(frozen=True, slots=True)
class GamesDemo:
    """Options of the demo."""

    players: Annotated[int, Parameter(validator=validators.Number(gte=2))] = PLAYERS
    """Simulated players."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""
    seed: int = SEED
    """Seed of the players, and of their luck."""


def demo_games(*, options: Annotated[GamesDemo, FLAT] = GamesDemo()) -> int:
    """Recommends Debian's games to simulated players whose true taste is known.

    Each player likes two kinds of games, and from the seventh of twelve sessions on another kind in
    the place of one. The same players with the same luck are also served by popularity, by chance,
    and by somebody who knows the truth. No model was trained.
    """
    console = Console(highlight=False)
    options.output.mkdir(parents=True, exist_ok=True)

    def run(directory: Path) -> None:
        _run(console, directory, options.players, options.output, options.seed)

    return until_interrupted(console, run)


def _run(console: Console, directory: Path, players: int, output: Path, seed: int) -> None:
    began = time.monotonic()
    with step(console, "Reading the games among Debian's packages") as now:
        games = snapshot_games()
        now.done = f"{len(games)} games of Debian 12, with descriptions and kinds"
    with step(console, "Preparing the encoder") as now:
        texts = [game.to_item().text for game in games]
        encoder, reused = prepare_encoder(HOME / "games", texts, now.say)
        made = "there already" if reused else "exported to ONNX"
        now.done = f"Encoder: all-MiniLM-L6-v2, {made}, {encoder}"
    settings = [f"{name}={value}" for name, value in GAME_SETTINGS.items()]
    server = make_server(directory, encoder, None, keep=False, settings=settings)
    try:
        with step(console, "Starting Triton") as now:
            server.start()
            now.done = f"Triton is up: gRPC on {server.target}, each model has answered"
        with connect(server.target) as penchant:
            played = _play(console, penchant, games, players, seed)
    finally:
        server.stop()
    _conclude(console, games, played, output, time.monotonic() - began)


def _play(console: Console, penchant: Penchant, games: list[Game], count: int, seed: int) -> Played:
    game_client = GameClient(penchant)
    world = World({game.id: game.genres for game in games})
    players = make_players(tastes_of(world.genres), count, DRIFT_AT, seed)
    game_play = GamePlay(game_client, SESSIONS)
    others = (truth(world), popularity(world.games), chance(world.games, seed))
    with bars(console) as progress:
        with bar(console, progress, "Registering games", len(games)) as task:
            for start in range(0, len(games), _GAMES_PER_CALL):
                some = games[start : start + _GAMES_PER_CALL]
                game_client.put_games(some)
                progress.advance(task, len(some))
        with bar(console, progress, f"Playing sessions of {count} players", SESSIONS) as task:
            ours = play(
                world,
                players,
                SESSIONS,
                game_play.recommender(),
                seed,
                lambda session: progress.advance(task),
            )
        shares = {one.name: play(world, players, SESSIONS, one, seed) for one in others}
        knob = turn_knob(game_play, world, players, SESSIONS - 1)
    story = turn(game_client, world, STORY, seed, game_play.now_s)
    ordered = {"the truth": shares.pop("the truth"), "Penchant": ours, **shares}
    return Played(ordered, knob, story, game_play.recommend_s, game_play.feedback_s)


def _conclude(
    console: Console, games: list[Game], played: Played, output: Path, seconds: float
) -> None:
    names = {game.id: game.name for game in games}
    console.print()
    console.print(games_tables.rounds_table(played.shares, DRIFT_AT))
    console.print(games_tables.knob_table(played.knob))
    console.print(games_tables.latency_table(played.recommend_s, played.feedback_s))
    for table in games_tables.story_tables(played.story, names):
        console.print(table)
    path, numbers = output / PICTURE, output / NUMBERS
    games_charts.draw_rounds(played.shares, DRIFT_AT, path)
    facts = {
        "seconds": round(seconds, 1),
        "liked": {name: mine.mean(1).round(4).tolist() for name, mine in played.shares.items()},
        "knob": [[one.diversity, round(one.liked, 4), one.kinds] for one in played.knob],
        "story": {
            "played": played.story.played,
            "lists": [
                [[one.game.id, one.reason.text] for one in listed.items]
                for listed in played.story.lists
            ],
        },
    }
    numbers.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(Text(f"Done in {seconds:.0f} s. Picture: {path}. Numbers: {numbers}."))
    console.print(Text("Next: examples/games.py, and docs/clients/games.md for your own games."))
