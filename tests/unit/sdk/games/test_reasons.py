"""Reasons are of the score's own parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from penchant_sdk import Contribution, Explanation
from penchant_sdk.games import Game, Reason, ReasonKind
from penchant_sdk.games._reasons import JUST, ListRequest, reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GAME = Game("shogi", "Shogi", genres=("board",))
KINDS = {"go": "board", "chess": "board", "torcs": "racing"}


def game_of(id_: str) -> Game | None:
    return None if id_ == "gone" else Game(id_, id_.title(), genres=(KINDS.get(id_, "other"),))


def said(
    *events: tuple[str, str, float], fast: float = 0.0, slow: float = 1.0, query: float = 0.0
) -> Explanation:
    contributions = tuple(
        Contribution("e", item, signal, NOW, share) for item, signal, share in events
    )
    return Explanation(-2.0, slow, fast, 0.0, query, contributions)


def played(*stretches: tuple[str, float, float], fast: float = 0.0) -> Explanation:
    contributions = tuple(
        Contribution("e", item, "played", NOW, share, minutes) for item, minutes, share in stretches
    )
    return Explanation(-2.0, 1.0, fast, 0.0, 0.0, contributions)


def why(
    explanation: Explanation | None,
    *,
    more_like: str = "",
    explored: bool = False,
    later: timedelta = timedelta(0),
) -> Reason:
    return reason(GAME, explanation, ListRequest(more_like, explored, NOW + later), game_of)


def test_the_event_that_speaks_most_is_named_by_what_was_done() -> None:
    found = why(said(("go", "played", 0.2), ("chess", "purchased", 0.5), ("ludo", "skipped", 0.9)))
    assert (found.kind, found.game, found.share) == (ReasonKind.BECAUSE_YOU_PLAYED, "chess", 0.5)
    assert str(found) == "because you bought Chess"


def test_of_events_that_weigh_nearly_the_same_one_of_a_like_game_is_named() -> None:
    assert why(said(("torcs", "played", 0.5), ("go", "played", 0.4))).game == "go"
    assert why(said(("torcs", "played", 0.5), ("go", "played", 0.2))).game == "torcs"


def test_of_games_that_speak_nearly_as_much_the_one_played_longest_is_named() -> None:
    found = why(played(("go", 40, 0.5), ("chess", 300, 0.2)))
    assert (found.game, str(found), found.share) == ("chess", "because you played Chess", 0.2)
    assert why(played(("go", 40, 0.5), ("chess", 300, 0.1))).game == "go"
    assert why(played(("go", 300, 0.5), ("chess", 40, 0.5))).game == "go"
    just = why(played(("go", 40, 0.9), ("chess", 300, 0.8), fast=2.0))
    assert str(just) == "more like Chess, just played"


def test_all_sessions_of_a_game_count_together() -> None:
    sessions = [("chess", 50, 0.2), ("chess", 50, 0.2), ("chess", 50, 0.2)]
    found = why(played(("go", 90, 0.4), *sessions))
    assert (found.game, round(found.share, 6)) == ("chess", 0.6)


def test_hours_do_not_outdo_what_was_bought_and_speaks_most() -> None:
    bought = Contribution("e", "go", "purchased", NOW, 0.5)
    hours = Contribution("e", "chess", "played", NOW, 0.4, 300.0)
    assert str(why(Explanation(-2.0, 1.0, 0.0, 0.0, 0.0, (bought, hours)))) == (
        "because you bought Go"
    )


def test_where_no_event_weighs_much_none_is_named() -> None:
    found = why(said(("go", "played", 0.1), ("chess", "played", 0.1)))
    assert (found.game, str(found)) == ("", "because of several games that you played")


def test_where_the_last_likes_weigh_more_it_is_more_like_what_was_just_played() -> None:
    found = why(said(("go", "played", 0.9), fast=2.0))
    assert (found.kind, str(found)) == (ReasonKind.MORE_LIKE, "more like Go, just played")
    assert str(why(said(("go", "played", 0.9), fast=2.0), later=JUST)) == "because you played Go"


def test_more_like_what_was_asked_for_where_that_weighs_most() -> None:
    assert str(why(said(("go", "played", 0.5), query=0.6), more_like="ludo")) == "more like Ludo"
    assert why(said(("go", "played", 0.5), query=0.4), more_like="ludo").game == "go"
    assert why(said(query=-0.4), more_like="ludo").kind is ReasonKind.POPULAR


def test_where_nothing_speaks_for_a_game_nothing_is_made_up() -> None:
    for explanation in (
        None,
        said(),
        said(("go", "played", -0.5)),
        said(("go", "uninstalled", 0.5), ("", "played", 0.5), ("gone", "played", 0.5)),
    ):
        assert why(explanation).kind is ReasonKind.POPULAR
        assert why(explanation, explored=True).kind is ReasonKind.NEW
