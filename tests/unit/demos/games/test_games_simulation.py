"""Simulated players act as the simulation states, the same way for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demos.games.games_simulation import (
    LEAST_GAMES,
    TRIED,
    World,
    make_players,
    play,
    tastes_of,
)
from demos.games.simple_recommenders import K, chance, popularity, truth
from penchant.domain.errors import ConfigError
from penchant.domain.rewards import resolve
from penchant.domain.signals import GAMES_SIGNALS

KINDS = ("board", "card", "race", "sport")
GENRES = {f"{kind}-{n}": (kind,) for kind in KINDS for n in range(LEAST_GAMES)}
WORLD = World({**GENRES, "odd": ("odd",)})
PLAYERS = make_players(KINDS, 6, drift_at=3, seed=1)


def test_a_genre_with_few_games_is_nobodys_taste() -> None:
    assert tastes_of(WORLD.genres) == list(KINDS)
    with pytest.raises(ConfigError, match="3 or more"):
        tastes_of({"odd": ("odd",)})


@given(st.integers(0, 100))
def test_one_of_two_tastes_changes_at_the_stated_session(seed: int) -> None:
    for player in make_players(KINDS, 3, drift_at=3, seed=seed):
        before, after = set(player.taste(2)), set(player.taste(3))
        assert len(before) == len(after) == 2
        assert len(before & after) == 1
        assert player.first[0] in before & after


@given(st.integers(0, 1000))
def test_a_visit_is_made_of_signals_that_the_server_knows(seed: int) -> None:
    player, listed = PLAYERS[0], list(WORLD.games)[:10]
    actions = WORLD.visit(player, listed, 0, np.random.default_rng(seed))
    for action in actions:
        resolve(GAMES_SIGNALS, action.signal, action.value)
        assert action.found or action.game in listed
    started = [action for action in actions if action.signal == "started"]
    assert sum(not action.found for action in started) <= TRIED
    assert any(action.found and player.likes(WORLD.genres[action.game], 0) for action in started)


@given(st.integers(0, 1000))
def test_only_truly_liked_games_are_bought_and_played_long(seed: int) -> None:
    player = PLAYERS[0]
    actions = WORLD.visit(player, WORLD.games[::9], 0, np.random.default_rng(seed))
    for action in actions:
        liked = player.likes(WORLD.genres[action.game], 0)
        if action.signal == "purchased":
            assert liked
        if action.signal == "played":
            assert liked == ((action.value or 0.0) >= 15)


def test_the_truth_is_always_liked_and_popularity_and_chance_are_not() -> None:
    results = [
        play(WORLD, PLAYERS, 4, one, seed=1)
        for one in (truth(WORLD), popularity(WORLD.games), chance(WORLD.games, 1))
    ]
    assert results[0].shape == (4, len(PLAYERS))
    assert results[0].min() == 1.0
    assert max(results[1].mean(), results[2].mean()) < 0.75


def test_the_same_seed_plays_the_same() -> None:
    one, two = (play(WORLD, PLAYERS, 3, chance(WORLD.games, 1), seed=4) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_popularity_recommends_games_of_others_and_none_that_the_player_knows() -> None:
    one, other = PLAYERS[:2]
    recommender = popularity(WORLD.games)
    actions = WORLD.visit(one, ["card-3"], 0, np.random.default_rng(1))
    recommender.learn(one, 0, actions)
    played = {action.game for action in actions}
    assert not played & set(recommender.recommend(one, 1))
    good = {
        action.game for action in actions if action.signal == "played" and (action.value or 0) >= 15
    }
    assert set(recommender.recommend(other, 1)[: len(good)]) == good
    assert len(recommender.recommend(other, 1)) == K
