"""Quality of game recommendations for simulated players: `python -m benchmarks.games_quality`.

The games are those of Debian 12, the players come from `demos.games.games_simulation`, and the real
server runs in this process. Three charts (`docs/images/games_*.png`) show the truly liked share of
the lists by session, the price of diversity, and how soon a list follows a switch to a new taste,
with and without contexts. The settings were chosen on other players (seeds 101 and 202).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from demos.demo_encoder import prepare_encoder
from demos.games import games_charts
from demos.games.diversity_sweep import sweep_diversity
from demos.games.games_simulation import Player, World, make_players, play, tastes_of
from demos.games.players import GAME_SETTINGS, GamePlay
from demos.games.simple_recommenders import chance, popularity, truth
from demos.games.taste_switch import switch_taste
from penchant.cli.import_games import snapshot_games
from penchant.domain.arrays import Float32
from penchant.encoder.cache import CachedEncoder
from penchant.encoder.onnx import OnnxEncoder
from penchant.launch.model_parameters import HOME
from penchant.server.in_process import client_of
from penchant_sdk.games import Game, GameClient, PartOfDay, Session

PLAYERS, SESSIONS, DRIFT_AT, SEED = 120, 12, 6, 1
SWITCHES = 120
HELD = 3
"""Fewest games of a genre among ten for a list to hold the genre."""
ASKED = 60
"""Number of players who ask for more like one game."""

Vectors = Mapping[str, Float32]


class GamesBench:
    """The games, their vectors, and in-process servers for them."""

    def __init__(self, encoder: CachedEncoder, games: Sequence[Game]) -> None:
        self.games, self._encoder = games, encoder
        self.world = World({game.id: game.genres for game in games})
        vectors = encoder.encode([game.to_item().text for game in games])
        self.vectors: Vectors = dict(zip(self.world.games, vectors, strict=True))

    def server(self, **settings: str) -> GameClient:
        """A client of a new in-process server that holds the games."""
        client = GameClient(client_of(self._encoder, {**GAME_SETTINGS, **settings}))
        client.put_games(self.games)
        return client

    def distance(self, lists: Sequence[Sequence[str]]) -> float:
        """Mean of 1 minus the cosine over all pairs of games in a list, averaged over the lists."""
        distances = []
        for listed in lists:
            rows = np.stack([self.vectors[game] for game in listed])
            count = len(rows)
            cosines = (np.square(rows.sum(0)).sum() - count) / (count * (count - 1))
            distances.append(1.0 - float(cosines))
        return float(np.mean(distances))


def sessions(bench: GamesBench, images: Path) -> dict[str, object]:
    """Truly liked shares by session and recommender, and the effect of diversity at the end."""
    world = bench.world
    players = make_players(tastes_of(world.genres), PLAYERS, DRIFT_AT, SEED)
    game_play = GamePlay(bench.server(), SESSIONS)
    everybody = (
        truth(world),
        game_play.recommender(),
        popularity(world.games),
        chance(world.games, SEED),
    )
    shares = {one.name: play(world, players, SESSIONS, one, SEED) for one in everybody}
    games_charts.draw_sessions(shares, DRIFT_AT, images / "games_sessions.png")
    points = sweep_diversity(game_play, world, players, SESSIONS - 1)
    distances = [bench.distance(one.lists) for one in points]
    games_charts.draw_diversity(points, images / "games_diversity.png")
    return {
        "liked": {name: mine.mean(1).round(3).tolist() for name, mine in shares.items()},
        "95 % of the last": {
            name: round(float(1.96 * mine[-1].std() / np.sqrt(PLAYERS)), 3)
            for name, mine in shares.items()
        },
        "knob": [
            [one.diversity, round(one.liked, 3), round(one.genres, 2), round(distance, 3)]
            for one, distance in zip(points, distances, strict=True)
        ],
    }


def switches(bench: GamesBench, images: Path) -> dict[str, object]:
    """Share of a new genre in the list after each event, by `context_halvings`."""
    world, now_s = bench.world, time.time()
    players = [
        Player(f"switching-{number}", one.first, one.later, 0)
        for number, one in enumerate(make_players(tastes_of(world.genres), SWITCHES, 0, SEED))
    ]
    lines: dict[str, list[float]] = {}
    found: dict[str, object] = {}
    for halvings in ("2", "0", "1", "4"):
        games = bench.server(context_halvings=halvings)
        shares = np.array(
            [
                switch_taste(games, world, one, number, now_s).shares(world)
                for number, one in enumerate(players)
            ]
        )
        lines[f"context_halvings {halvings}"] = shares.mean(0).tolist()
        found[halvings] = {
            "share": shares.mean(0).round(3).tolist(),
            "risen": (shares[:, 1:] > shares[:, :1]).mean(0).round(3).tolist(),
            "held": (shares * 10 >= HELD - 1e-9).mean(0).round(3).tolist(),
        }
    new = [one.later[1] for one in players]
    common = np.mean([sum(genre in own for own in world.genres.values()) for genre in new])
    shown = {name: lines[name] for name in ("context_halvings 2", "context_halvings 0")}
    games_charts.draw_switch(shown, float(common) / len(world.games), images / "games_turn.png")
    return found


def more_like(bench: GamesBench) -> dict[str, object]:
    """Similarity of a list to the game named by `more_like`, by `query_weight`.

    Returns:
        By query weight: the share of games with a genre of that game, and the share of reasons that
        name it.
    """
    world, random = bench.world, np.random.default_rng(SEED)
    players = make_players(tastes_of(world.genres), ASKED, 0, SEED)
    asked = [str(random.choice(np.array(world.games))) for _ in players]
    found: dict[str, object] = {}
    for weight in ("1", "5", "10", "20", "40"):
        games = bench.server(query_weight=weight)
        alike, named = [], []
        for number, (player, game) in enumerate(zip(players, asked, strict=True)):
            switch_taste(games, world, player, number, time.time())
            here = Session("session-8", PartOfDay.EVENING)
            listed = games.recommend(user=player.name, session=here, more_like=game)
            genres = set(world.genres[game])
            alike += [bool(genres & set(world.genres[one])) for one in listed.ids]
            named += [one.reason.game == game for one in listed.items]
        found[weight] = [round(float(np.mean(alike)), 3), round(float(np.mean(named)), 3)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=Path, default=Path("docs/images"), help="directory for the charts"
    )
    options = parser.parse_args()
    games = snapshot_games()
    texts = [game.to_item().text for game in games]
    encoder, _ = prepare_encoder(HOME / "games", texts)
    with threadpool_limits(1):
        bench = GamesBench(CachedEncoder(OnnxEncoder.load(encoder, threads=1)), games)
        print(json.dumps({"sessions": sessions(bench, options.images)}), flush=True)
        print(json.dumps({"turns": switches(bench, options.images)}), flush=True)
        print(json.dumps({"more like, said so": more_like(bench)}), flush=True)


if __name__ == "__main__":
    main()
