"""Games, sessions and lists: what they carry, and what they refuse."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk import InvalidRequest, Item
from penchant_sdk.games import Game, PartOfDay, Session
from penchant_sdk.games.types import ATTRIBUTE

_LINE = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), max_size=30)
_NAME = _LINE.filter(lambda text: bool(text.strip()))
_WORDS = st.lists(_LINE, max_size=3).map(tuple)


@given(_NAME, _NAME, _LINE, _LINE, _WORDS, _WORDS)
def test_a_game_is_the_same_after_its_way_through_the_catalogue(
    id_: str, name: str, summary: str, more: str, genres: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    game = Game(id_, name, summary, more, genres, tags, "https://example.org")
    assert Game.from_item(game.to_item()) == game


def test_other_languages_read_the_same_truth() -> None:
    item = Game("a", "A game", genres=("chess",), description="Long.").to_item()
    assert item.text == "A game. chess\n\nLong."
    assert json.loads(item.attributes[ATTRIBUTE]) == {
        "id": "a",
        "name": "A game",
        "genres": ["chess"],
    }


def test_an_item_that_is_no_game_can_be_listed_all_the_same() -> None:
    assert Game.from_item(Item("a", "some text")).name == "a"
    with pytest.raises(InvalidRequest, match="is not a game"):
        Game.from_item(Item("a", "text", {ATTRIBUTE: "{"}))


def test_what_does_not_fit_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match="shorten the summary"):
        Game("a", "A", summary="x" * 1_024).to_item()
    with pytest.raises(InvalidRequest, match="one line"):
        Game("a", "two\nlines")
    with pytest.raises(InvalidRequest, match="1 to 128 bytes"):
        Session("")


def test_a_session_says_where_and_when() -> None:
    assert Session("s").context == {"session": "s"}
    assert Session("s", PartOfDay.NIGHT, "phone").context == {
        "session": "s",
        "part_of_day": "night",
        "device": "phone",
    }
