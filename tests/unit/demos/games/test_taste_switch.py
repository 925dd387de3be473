"""After three events of a new taste in one session, the top ten holds the new genre.

On Debian's games, with the real encoder and the real server in this process.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from demos.games.games_simulation import Player, World, make_players, tastes_of
from demos.games.players import GAME_SETTINGS
from demos.games.taste_switch import EVENTS, TasteSwitch, switch_taste
from penchant.cli.import_games import snapshot_games
from penchant.encoder.onnx import OnnxEncoder
from penchant.server.in_process import client_of
from penchant.training.export import ExportReport
from penchant_sdk.games import Game, GameClient

NOW_S = 1_700_000_000.0
SWITCHES = 24
HELD = 3
"""Fewest games of a genre among ten; a genre has about one in twenty games of the catalog."""


class Projected:
    """MiniLM's vectors centred on their mean, as a projection fitted on the games gives them."""

    def __init__(self, encoder: OnnxEncoder, texts: Sequence[str]) -> None:
        self.version = encoder.version
        self.dimensions = encoder.dimensions
        vectors = encoder.encode(texts)
        centred = vectors - vectors.mean(axis=0)
        units = centred / np.linalg.norm(centred, axis=1, keepdims=True)
        self._known = dict(zip(texts, units, strict=True))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = np.stack([self._known[text] for text in texts])
        return rows


@pytest.fixture(scope="module")
def games() -> list[Game]:
    # Descriptions would take a quarter of a minute to encode.
    return [Game(one.id, one.name, one.summary, "", one.genres) for one in snapshot_games()]


@pytest.fixture(scope="module")
def encoder(minilm_report: ExportReport, games: list[Game]) -> Projected:
    minilm = OnnxEncoder.load(minilm_report.directory, threads=1)
    return Projected(minilm, [game.to_item().text for game in games])


@pytest.fixture(scope="module")
def world(games: list[Game]) -> World:
    return World({game.id: game.genres for game in games})


def all_switches(
    encoder: Projected, games: list[Game], world: World, **settings: str
) -> list[TasteSwitch]:
    client = GameClient(client_of(encoder, {**GAME_SETTINGS, **settings}))
    client.put_games(games)
    players = make_players(tastes_of(world.genres), SWITCHES, 0, seed=3)
    switching = [Player(one.name, one.first, one.later, 0) for one in players]
    return [switch_taste(client, world, one, seed, NOW_S) for seed, one in enumerate(switching)]


@pytest.fixture(scope="module")
def switches(encoder: Projected, games: list[Game], world: World) -> list[TasteSwitch]:
    return all_switches(encoder, games, world)


def test_after_three_events_of_a_new_taste_the_top_ten_holds_its_genre(
    switches: list[TasteSwitch], world: World
) -> None:
    shares = np.array([one.shares(world) for one in switches])
    assert shares.shape == (SWITCHES, 1 + EVENTS)
    held = (shares * 10 >= HELD - 1e-9).mean(axis=0)
    assert held[0] < 0.2
    assert held[EVENTS] >= 0.9
    assert (np.diff(shares.mean(axis=0)) > 0).all()


def test_without_contexts_fewer_lists_hold_it(
    switches: list[TasteSwitch], encoder: Projected, games: list[Game], world: World
) -> None:
    plain = all_switches(encoder, games, world, context_halvings="0")
    with_contexts, without = (
        np.array([one.shares(world) for one in some]).mean(axis=0) for some in (switches, plain)
    )
    assert (with_contexts[1:] > without[1:] + 0.1).all()


def test_reasons_name_the_games_just_played(switches: list[TasteSwitch], world: World) -> None:
    for one in switches:
        new = one.player.later[1]
        for item in one.lists[-1].items:
            if item.reason.game in one.played:
                assert "just played" in item.reason.text or "you played" in item.reason.text
        listed = [item for item in one.lists[-1].items if new in item.game.genres]
        named = [item.reason.game in one.played for item in listed]
        assert sum(named) >= 0.8 * len(named)
