"""The laws of a client of a server with its own signal table."""

from __future__ import annotations

import json

import pytest

from penchant_sdk import Event, EventStatus, Item, Penchant
from tests.contracts.client_world import unique

OWN_SIGNALS = json.dumps(
    {
        "heard": {"reward": 0.4, "weight": 0.5},
        "stars": {"reward": 0.0, "neutral": 3.0, "scale": 2.0, "value_required": True},
        "mark": {"reward": 0.0, "neutral": 3.0, "scale": 2.0, "value_min": 1, "value_max": 5},
        "kept": {"reward": 1.0, "weight": 2.0, "owned": True},
        "offered": {"reward": -0.1, "wait_s": 3600.0},
    }
)
"""The server's setting `signals`."""


class OwnSignalLaws:
    """The laws of a custom signal table; the fixture `penchant` is a client of such a server."""

    @pytest.fixture
    def songs(self, penchant: Penchant) -> tuple[str, str]:
        ids = unique("song"), unique("song")
        penchant.put_items([Item(ids[0], "a slow waltz"), Item(ids[1], "a fast polka")])
        return ids

    def test_events_are_worth_what_the_table_says(
        self, penchant: Penchant, songs: tuple[str, str]
    ) -> None:
        user = unique("user")
        events = [
            Event(user, songs[0], "heard", occurred_at=1.0),
            Event(user, songs[1], "stars", value=2.0, occurred_at=2.0),
            Event(user, songs[1], "stars", value=9.0, occurred_at=3.0),
        ]
        penchant.feedback(events).raise_for_refused()
        window = penchant.user(user).window[::-1]
        assert [one.reward for one in window] == pytest.approx([0.4, -0.5, 1.0])
        assert [one.weight for one in window] == pytest.approx([0.5, 1.0, 1.0])

    def test_signals_of_other_tables_are_refused_by_name(
        self, penchant: Penchant, songs: tuple[str, str]
    ) -> None:
        signals = ("like", "accepted", "click", "played")
        ack = penchant.feedback([Event(unique("user"), songs[0], signal) for signal in signals])
        assert [(one.reason, one.message) for one in ack.refused] == [
            (
                "InvalidEvent",
                f"signal: got {signal!r}, expected one of: heard, kept, mark, offered, stars",
            )
            for signal in signals
        ]

    def test_a_signal_without_its_value_is_refused(
        self, penchant: Penchant, songs: tuple[str, str]
    ) -> None:
        (result,) = penchant.feedback([Event(unique("user"), songs[0], "stars")]).results
        assert result.status is EventStatus.REFUSED
        assert result.message == "value: missing, expected a number with the signal 'stars'"

    def test_a_value_out_of_the_signals_range_is_refused(
        self, penchant: Penchant, songs: tuple[str, str]
    ) -> None:
        user = unique("user")
        ack = penchant.feedback([Event(user, songs[0], "mark", value) for value in (0, 1, 5, 5.5)])
        assert [one.message for one in ack.refused] == [
            f"value: got {value}, expected 1 to 5 with the signal 'mark'" for value in (0, 5.5)
        ]
        assert [one.reward for one in penchant.user(user).window] == pytest.approx([1.0, -1.0])

    def test_owning_is_a_matter_of_the_table(
        self, penchant: Penchant, songs: tuple[str, str]
    ) -> None:
        user = unique("user")
        penchant.feedback([Event(user, songs[0], "kept")]).raise_for_refused()
        ranking = penchant.rank(user, candidates=songs, exclude_owned=True)
        assert ranking.ids == (songs[1],)
