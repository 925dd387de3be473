"""Logs of hours, in the shapes that the public ones have."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import resolve
from penchant.domain.signals import GAMES_SIGNALS
from penchant.logs.datasets.play_hours import PlayHours, read_play_hours
from penchant.logs.datasets.play_signals import order_note, play_events, quantiles
from penchant.logs.refusals import LeftOut

NOW_US = 1_700_000_000_000_000
ANN = {("ann", "Portal"): 10.0, ("ann", "Dota 2"): 1234.5}


def read(path: Path, text: str, *mapped: str, left_out: LeftOut | None = None) -> PlayHours:
    path.write_text(text, encoding="utf-8")
    return read_play_hours(path, mapped, left_out or LeftOut())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hours.csv"


@pytest.mark.parametrize(
    "text",
    [
        'user,title,hours\nann,Portal,10\nann,Dota 2,"1,234.5"\n',
        'ann,Portal,10\nann,Dota 2,"1,234.5"\n',
        'ann,Dota 2,"1,234.5"\nann,Portal,10\n',
        "ann;Portal;10,0\nann;Dota 2;1.234,5\n",
        "user_id,game_title,behavior_name,value\nann,Portal,purchase,1.0\n"
        "ann,Portal,play,10.0\nann,Dota 2,play,1234.5\n",
        'ann,Portal,purchase,1.0,0\nann,Portal,play,10.0,0\nann,Dota 2,play,"1,234.5",0\n',
        "steamid,name,playtime_forever\nann,Portal,600\nann,Dota 2,74070\n",
        "user_id\titem_id\titem_name\thours\nann\t7\tPortal\t10\nann\t8\tDota 2\t1234.5\n",
        "ann,Portal,4\nann,Portal,6\nann,Dota 2,1234.5\n",
    ],
    ids=[
        "heading", "no heading", "separated first row", "decimal commas", "behavior",
        "behavior without heading", "minutes", "title before id", "rows of one game",
    ],
)  # fmt: skip
def test_every_public_shape_gives_the_same_hours(path: Path, text: str) -> None:
    assert read(path, text).played == ANN


def test_columns_of_other_names_are_named(path: Path) -> None:
    text = "wer,was,wie lange\nann,Portal,10\nann,Dota 2,1234.5\n"
    with pytest.raises(ConfigError, match="--map COLUMN=user"):
        read(path, text)
    assert read(path, text, "wer=user", "was=title", "wie lange=hours").played == ANN


def test_a_purchase_is_no_hour_of_play(path: Path) -> None:
    log = read(path, "ann,Portal,purchase,1.0\nbob,Portal,play,1.0\nbob,Myst,play,0\n")
    assert log.played == {("bob", "Portal"): 1.0}
    assert log.owned_alone == [("ann", "Portal"), ("bob", "Myst")]
    signals = {(event.user, event.item): event.signal for event in play_events(log, NOW_US)}
    assert signals["ann", "Portal"] == signals["bob", "Myst"] == "owned"


def test_rows_without_usable_hours_are_left_out_and_said(path: Path) -> None:
    left_out = LeftOut()
    text = "user,title,hours\nann,Portal,10\nbob,Portal,many\neve,Portal,-1\nmia,,3\nio,Go,nan\n"
    assert read(path, text, left_out=left_out).played == {("ann", "Portal"): 10.0}
    assert sum(left_out.counts.values()) == 4
    assert "'many'" in left_out.first_case
    with pytest.raises(ConfigError, match=r"no row of hours\.csv can be read"):
        read(path, "user,title,hours\nann,Portal,many\n")


def test_ten_hours_of_a_short_game_say_more_than_ten_of_an_endless_one() -> None:
    short = {(f"s{n}", "Portal"): float(n) for n in range(1, 10)}
    endless = {(f"e{n}", "Dota 2"): 100.0 * n for n in range(1, 10)}
    log = PlayHours({**short, **endless, ("ann", "Portal"): 10.0, ("ann", "Dota 2"): 10.0})
    rewards = {
        event.item: resolve(GAMES_SIGNALS, event.signal, event.value).reward
        for event in play_events(log, NOW_US)
        if event.user == "ann"
    }
    assert rewards["Portal"] == 1.0
    assert rewards["Dota 2"] == 0.1


def test_whoever_played_longest_says_most_and_nobody_who_played_longer_says_less() -> None:
    hours = [0.1, 0.5, 1.0, 2.0, 2.0, 8.0, 40.0, 900.0]
    log = PlayHours({(f"u{n}", "Portal"): spent for n, spent in enumerate(hours)})
    by_user = {event.user: event for event in play_events(log, NOW_US)}
    events = [by_user[f"u{n}"] for n in range(len(hours))]
    rewards = [resolve(GAMES_SIGNALS, one.signal, one.value).reward for one in events]
    assert rewards == sorted(rewards)
    assert (rewards[0], rewards[-1]) == (0.1, 1.0)
    assert events[3].signal == events[4].signal
    assert [event.value for event in events] == [60 * spent for spent in hours]


def test_the_only_player_of_a_game_stands_where_the_hours_stand_in_the_log() -> None:
    others = {(f"u{n}", "Dota 2"): float(n) for n in range(1, 50)}
    places = quantiles({**others, ("ann", "Rare"): 1000.0, ("bob", "Rarer"): 0.1})
    assert places["ann", "Rare"] > 0.5 > places["bob", "Rarer"]


def test_without_times_the_longest_comes_last_and_the_order_is_said() -> None:
    log = PlayHours({("ann", "b"): 3.0, ("ann", "a"): 9.0, ("ann", "c"): 1.0}, {("ann", "d")})
    events = play_events(log, NOW_US)
    assert [event.item for event in events] == ["d", "c", "b", "a"]
    assert events[-1].occurred_at_us == NOW_US
    assert "the longest last" in order_note(log, len(events))


def test_a_rows_own_time_counts(path: Path) -> None:
    log = read(path, "user,title,hours,date\nann,Portal,10,2024-01-02\nann,Myst,9,2024-01-03\n")
    events = play_events(log, NOW_US)
    assert [event.item for event in events] == ["Portal", "Myst"]
    assert events[0].occurred_at_us == 1_704_153_600_000_000
    assert order_note(log, len(events)) == "Order: by the rows' own times."


def test_a_second_reading_gives_the_same_ids_and_more_hours_another() -> None:
    one, same, more = (
        play_events(PlayHours({("ann", "Portal"): spent}), NOW_US)[0].event_id
        for spent in (3.0, 3.0, 4.0)
    )
    assert one == same != more
