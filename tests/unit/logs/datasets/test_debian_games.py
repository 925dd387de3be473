"""What is a game among Debian's packages: each stated rule."""

from __future__ import annotations

import pytest

from penchant.logs.datasets.debian_control import stanzas
from penchant.logs.datasets.debian_games import DESCRIPTION_LENGTH, read_games
from penchant_proto.v1.games_pb2 import Game

CHESS = {
    "Package": "chess",
    "Section": "games",
    "Description": "play chess\nA game of kings. It has queens too.",
    "Tag": "game::board, game::board:chess, role::program, uitoolkit::gtk, use::gameplaying",
    "Homepage": "https://example.org",
}


def games_of(*packages: dict[str, str]) -> list[Game]:
    return read_games({**CHESS, **package} for package in packages)


def test_a_game_keeps_its_texts_its_kinds_and_its_other_tags() -> None:
    (game,) = games_of({})
    assert game == Game(
        id="chess",
        name="chess",
        summary="play chess",
        description="A game of kings. It has queens too.",
        genres=["board game", "chess"],
        tags=["uitoolkit::gtk"],
        homepage="https://example.org",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Section": "editors"},
        {"Section": "contrib/games"},
        {"Tag": "role::app-data"},
        {"Tag": "game::board, role::program, role::plugin"},
        *(
            {"Package": f"chess-{part}"}
            for part in ("data", "server", "common", "music", "data-all")
        ),
        *({"Package": name} for name in ("fortunes-chess", "libretro-chess", "minetest-mod-chess")),
        {"Description": "chess emulator"},
        {"Description": "transitional dummy package for chess"},
        {"Description": "server for chess"},
        {"Description": ""},
        {"Description": "something else", "Tag": ""},
    ],
)
def test_what_is_no_game_is_left_out(change: dict[str, str]) -> None:
    assert games_of(change) == []


def test_of_several_builds_of_a_source_one_stays() -> None:
    builds = [{"Package": f"chess{end}", "Source": "chess (1.2)"} for end in ("-gtk", "-qt", "")]
    assert [game.id for game in games_of(*builds)] == ["chess"]
    assert [game.id for game in games_of(*builds[:2])] == ["chess-qt"]


def test_kinds_without_tags_are_found_in_the_words() -> None:
    (game,) = games_of({"Description": "racing game\nA puzzle. No chess.", "Tag": ""})
    assert list(game.genres) == ["puzzle", "racing"]


def test_long_descriptions_are_cut_at_a_sentence() -> None:
    sentence = "Move the pieces of wood over the board."
    (game,) = games_of({"Description": "chess\n" + "\n".join([sentence] * 40)})
    assert len(game.description) <= DESCRIPTION_LENGTH
    assert game.description.endswith("board.")


def test_english_translations_come_first() -> None:
    (game,) = games_of({"Description-en": "play chess well\nAs kings do."})
    assert (game.summary, game.description) == ("play chess well", "As kings do.")


def test_games_come_by_id_whatever_the_order() -> None:
    text = "\n".join(
        f"Package: {name}\nSection: games\nDescription: chess\n" for name in ("b", "a", "c")
    )
    assert [game.id for game in read_games(stanzas(text))] == ["a", "b", "c"]
