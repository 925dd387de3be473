"""The definition of a turn to a new genre, on planted logs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.genre_switch import EARLIER, find_turns, with_sessions
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream

FILMS = [
    *(Item(f"war{n}", "a war film", {"genres": "War, Drama"}) for n in range(20)),
    *(Item(f"love{n}", "a love story", {"genres": "Romance, Drama"}) for n in range(20)),
]
DAY_S = 86_400


def rated(item: str, at_s: int, stars: float = 5.0) -> Event:
    return Event(f"e-{item}", "ann", item, "rating", stars, at_s * 1_000_000)


def stream_of(events: Sequence[Event]) -> Stream:
    relevance = parse_relevance("rating>=4")
    return make_stream(FILMS, with_sessions(events), DEFAULT_SIGNALS, relevance, LeftOut())


SETTLED = [rated(f"war{n}", 60 * n) for n in range(EARLIER)]


def romance(start_s: int, stars: float = 5.0) -> list[Event]:
    return [rated(f"love{n}", start_s + n, stars) for n in range(3)]


def test_three_likes_of_a_new_genre_are_a_turn() -> None:
    (turn,) = find_turns(stream_of([*SETTLED, *romance(60 * EARLIER)]), 0)
    assert turn.genre == "Romance"
    assert turn.positions == (10, 11, 12)
    assert not turn.session_begun
    (later,) = find_turns(stream_of([*SETTLED, *romance(DAY_S)]), 0)
    assert later.session_begun


def test_other_sequences_are_no_turns() -> None:
    assert find_turns(stream_of([*SETTLED[1:], *romance(DAY_S)]), 0) == []
    assert find_turns(stream_of([*SETTLED, *romance(DAY_S, stars=3.0)]), 0) == []
    assert find_turns(stream_of([*SETTLED, *romance(DAY_S)]), 11) == []
    known = [rated("love8", 1), rated("love9", 2), *SETTLED[2:]]
    assert find_turns(stream_of([*known, *romance(DAY_S)]), 0) == []
    apart = [rated(f"love{n}", DAY_S * (n + 1)) for n in range(3)]
    assert find_turns(stream_of([*SETTLED, *apart]), 0) == []


def test_a_session_ends_after_half_an_hour() -> None:
    events = with_sessions([rated("war1", 0), rated("war2", 1_800), rated("war3", 3_601)])
    assert [dict(event.context)["session"] for event in events] == ["0", "0", "1"]
