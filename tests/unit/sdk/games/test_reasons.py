"""Reasons are of the score's own parts."""

from __future__ import annotations

from datetime import UTC, datetime

from penchant_sdk import Contribution, Explanation
from penchant_sdk.games import ReasonKind
from penchant_sdk.games._reasons import Asked, reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def name(id_: str) -> str:
    return "" if id_ == "gone" else id_.title()


def said(
    *events: tuple[str, str, float], fast: float = 0.0, slow: float = 1.0, query: float = 0.0
) -> Explanation:
    contributions = tuple(
        Contribution("e", item, signal, NOW, share) for item, signal, share in events
    )
    return Explanation(-2.0, slow, fast, 0.0, query, contributions)


def test_the_event_that_speaks_most_is_named_by_what_was_done() -> None:
    why = said(("go", "played", 0.2), ("chess", "purchased", 0.5), ("ludo", "skipped", 0.9))
    found = reason(why, Asked(), name)
    assert (found.kind, found.game, found.share) == (ReasonKind.BECAUSE_YOU_PLAYED, "chess", 0.5)
    assert str(found) == "because you bought Chess"


def test_where_the_last_likes_weigh_more_it_is_more_like_the_last() -> None:
    found = reason(said(("go", "played", 0.5), fast=2.0), Asked(), name)
    assert (found.kind, str(found)) == (ReasonKind.MORE_LIKE, "more like Go, just played")


def test_more_like_what_was_asked_for_where_that_weighs_most() -> None:
    asked = Asked(more_like="ludo")
    assert str(reason(said(("go", "played", 0.5), query=0.6), asked, name)) == "more like Ludo"
    assert reason(said(("go", "played", 0.5), query=0.4), asked, name).game == "go"
    assert reason(said(query=-0.4), asked, name).kind is ReasonKind.POPULAR


def test_where_nothing_speaks_for_a_game_nothing_is_made_up() -> None:
    for why in (
        None,
        said(),
        said(("go", "played", -0.5)),
        said(("go", "uninstalled", 0.5), ("", "played", 0.5), ("gone", "played", 0.5)),
    ):
        assert reason(why, Asked(), name).kind is ReasonKind.POPULAR
        assert reason(why, Asked(explored=True), name).kind is ReasonKind.NEW
