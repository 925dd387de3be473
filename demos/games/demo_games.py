"""`penchant demo-games`: simulated players of Debian's games on a real Triton."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from demos.demo_encoder import encoder_step
from demos.demo_server import make_server, run_demo, serving
from demos.demo_tables import latency_table
from demos.fill_server import ITEMS_PER_CALL, in_calls
from demos.games import games_charts, games_tables
from demos.games.diversity_sweep import sweep_diversity
from demos.games.games_outcome import GamesOutcome
from demos.games.games_simulation import Player, World, make_players, play, tastes_of
from demos.games.players import GAME_SETTINGS, GamePlay
from demos.games.simple_recommenders import chance, popularity, truth
from demos.games.taste_switch import switch_taste
from demos.progress_steps import counted_step, print_next, print_results, step
from penchant.cli.import_games import snapshot_games
from penchant.launch.model_parameters import HOME
from penchant.report.page import as_json
from penchant.report.terminal import Terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT
from penchant_sdk.games import Game, GameClient

PLAYERS, SESSIONS, DRIFT_AT, SEED = 40, 12, 6, 1
PICTURE, NUMBERS = "games.png", "games.json"
STORY_PLAYER = Player("ann", ("puzzle", "chess"), ("puzzle", "roguelike"), 0)
"""The player whose switch to a new taste is shown."""
NEXT = {
    "examples/games.py": "the same calls in sixty lines",
    "penchant import games --help": "the games of your own machine",
    "docs/clients/games.md": "signals, settings and measurements, for your own games",
}


@dataclass(frozen=True, slots=True)
class GamesDemo:
    """Options of the games demo."""

    players: Annotated[int, Parameter(validator=validators.Number(gte=2))] = PLAYERS
    """Number of simulated players."""
    output: Path = Path("out")
    """Directory for the chart and the numbers."""
    seed: int = SEED
    """Seed of the players' tastes and of their luck."""


def demo_games(*, options: Annotated[GamesDemo, FLAT] = GamesDemo()) -> int:
    """Recommends Debian's games to simulated players whose true taste is known.

    Each player likes two genres; from the seventh of twelve sessions on, a new genre replaces one
    of them. Popularity, chance and a recommender that knows the truth serve the same players with
    the same luck. No model is trained.
    """

    def run(console: Terminal, directory: Path) -> None:
        _run(console, directory, options)

    return run_demo(options.output, run)


def _run(console: Terminal, directory: Path, options: GamesDemo) -> None:
    began = time.monotonic()
    games = _games_step(console)
    encoder = encoder_step(console, HOME / "games", [game.to_item().text for game in games])
    settings = [f"{name}={value}" for name, value in GAME_SETTINGS.items()]
    with serving(console, make_server(directory, encoder, settings=settings)) as penchant:
        client = GameClient(penchant)
        with counted_step(console, "Registering games", len(games)) as advance:
            in_calls(games, ITEMS_PER_CALL, client.put_games, advance)
        outcome = _play(console, client, games, options)
    _report(console, games, outcome, options, time.monotonic() - began)


def _games_step(console: Terminal) -> list[Game]:
    with step(console, "Reading the games among Debian's packages") as reading:
        games = snapshot_games()
        reading.done = f"{len(games)} games of Debian 12, with descriptions and genres"
    return games


def _play(
    console: Terminal, client: GameClient, games: Sequence[Game], options: GamesDemo
) -> GamesOutcome:
    """Plays all sessions with each recommender, then sweeps diversity and switches a taste."""
    world = World({game.id: game.genres for game in games})
    players = make_players(tastes_of(world.genres), options.players, DRIFT_AT, options.seed)
    game_play = GamePlay(client, SESSIONS)
    text = f"Playing sessions of {len(players)} players"
    with counted_step(console, text, SESSIONS) as advance:
        ours = play(
            world,
            players,
            SESSIONS,
            game_play.recommender(),
            options.seed,
            lambda session: advance(1),
        )
    others = (truth(world), popularity(world.games), chance(world.games, options.seed))
    shares = {one.name: play(world, players, SESSIONS, one, options.seed) for one in others}
    return GamesOutcome(
        shares={"the truth": shares.pop("the truth"), "Penchant": ours, **shares},
        diversity=sweep_diversity(game_play, world, players, SESSIONS - 1),
        switch=switch_taste(client, world, STORY_PLAYER, options.seed, game_play.now_s),
        recommend_s=game_play.recommend_s,
        feedback_s=game_play.feedback_s,
    )


def _report(
    console: Terminal,
    games: Sequence[Game],
    outcome: GamesOutcome,
    options: GamesDemo,
    seconds: float,
) -> None:
    names = {game.id: game.name for game in games}
    console.print()
    console.print(games_tables.sessions_table(outcome.shares, DRIFT_AT))
    console.print(games_tables.diversity_table(outcome.diversity))
    console.print(
        latency_table(
            {
                "recommend (top 10, with reasons)": outcome.recommend_s,
                "a signal (one event, on disk)": outcome.feedback_s,
            }
        )
    )
    for table in games_tables.switch_tables(outcome.switch, names):
        console.print(table)
    picture, numbers = options.output / PICTURE, options.output / NUMBERS
    games_charts.draw_sessions(outcome.shares, DRIFT_AT, picture)
    write_whole(numbers, as_json(outcome.numbers(seconds)))
    print_results(console, seconds, {"Picture": picture, "Numbers": numbers})
    print_next(console, NEXT)
