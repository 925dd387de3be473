"""Columns told by what stands in them, and what is left to the user to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.column_looks import ColumnLook, look_at
from penchant.logs.guessed_columns import Guess, guess_event_columns, guess_id_column
from penchant.logs.log_source import LogSource
from penchant.logs.open_table import open_table
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream

FIELDS = ["user", "item", "occurred_at"]
N = range(200)
WHO = [f"k{number % 40}" for number in N]
WHAT = [f"p{number % 30}" for number in N]
WHEN = [f"2025-03-{1 + number % 28:02} 10:00" for number in N]
EPOCH = [str(1_700_000_000 + number) for number in N]
FEW = [str(1 + number % 3) for number in N]
IDS = {f"p{number}" for number in range(60)}


def looks_of(path: Path, columns: Mapping[str, Sequence[str]]) -> dict[str, ColumnLook]:
    rows = [",".join(row) for row in zip(*columns.values(), strict=False)]
    path.write_text("\n".join([",".join(columns), *rows, ""]))
    with open_table(path) as table:
        return look_at(table)


Guesser = Callable[[Mapping[str, Sequence[str]], list[str], list[str], set[str]], Guess]


@pytest.fixture
def guessed(tmp_path: Path) -> Guesser:
    def guess(
        columns: Mapping[str, Sequence[str]], missing: list[str], taken: list[str], ids: set[str]
    ) -> Guess:
        return guess_event_columns(looks_of(tmp_path / "e.csv", columns), missing, taken, ids)

    return guess


def read(path: Path, text: str, items: str = "") -> tuple[Stream, LeftOut]:
    """Reads a log from a text of events, and maybe one of items."""
    events, catalog = path / "events.csv", path / "items.csv"
    events.write_text(text)
    if items:
        catalog.write_text(items)
    left_out = LeftOut()
    source = LogSource(catalog if items else None, events)
    return read_log(source, DEFAULT_SIGNALS, "reward>0", left_out, "nothing"), left_out


def test_item_time_and_user_are_told_whatever_their_names(guessed: Guesser) -> None:
    sample = {"a": FEW, "b": WHEN, "c": WHAT, "d": WHO}
    found = guessed(sample, FIELDS, [], IDS)
    assert found.columns == {"item": "c", "occurred_at": "b", "user": "d"}
    assert found.questions == {}


def test_seconds_since_1970_are_times_and_small_numbers_are_not(guessed: Guesser) -> None:
    found = guessed({"b": EPOCH, "a": FEW}, ["occurred_at"], [], IDS)
    assert found.columns == {"occurred_at": "b"}


def test_what_two_columns_could_be_is_asked_with_the_option_to_give(guessed: Guesser) -> None:
    twice = {"b": WHEN, "e": WHEN, "c": WHAT, "d": WHO, "g": [one + "x" for one in WHO]}
    found = guessed(twice, FIELDS, [], IDS)
    assert found.columns == {"item": "c"}
    assert found.questions == {
        "occurred_at": "is it 'b' (28 values) or 'e' (28 values)? name it with --time-column",
        "user": "is it 'd' (40 values) or 'g' (40 values)? name it with --user-column",
    }
    found = guessed({"c": WHAT, "d": WHO, "g": WHO}, ["user"], ["c"], IDS)
    assert found.columns == {}


def test_without_a_known_item_nobody_is_taken_for_the_user(guessed: Guesser) -> None:
    assert guessed({"c": WHAT, "b": WHEN}, FIELDS, [], set()).columns == {"occurred_at": "b"}


def test_a_column_that_is_known_is_left_alone(guessed: Guesser) -> None:
    assert guessed({"c": WHAT, "d": FEW}, ["item"], ["c"], IDS).columns == {"item": "d"}
    assert guessed({"c": WHAT}, ["item"], ["c"], IDS).columns == {}


def test_the_id_of_an_item_is_what_the_events_point_to(tmp_path: Path) -> None:
    items = looks_of(
        tmp_path / "i.csv",
        {"name": [f"a {n}" for n in range(60)], "nr": sorted(IDS), "kind": ["x"] * 60},
    )
    events = looks_of(tmp_path / "e.csv", {"who": WHO, "what": WHAT})
    assert guess_id_column(items, events) == "nr"
    events = looks_of(tmp_path / "e.csv", {"who": WHO, "what": FEW})
    assert guess_id_column(items, events) == ""


def test_readers_that_come_once_are_the_users_and_their_four_devices_are_not(
    tmp_path: Path,
) -> None:
    """As in a newspaper: more than half of the first rows are of readers who come once."""
    rows = [
        f"anon-{n if n % 9 < 6 else n - 7},a{n % 60},2026-03-01T{n % 24:02}:00:00,{'pthx'[n % 4]}"
        for n in range(7000)
    ]
    stream, left_out = read(
        tmp_path,
        "\n".join(["wer,was,wann,worauf", *rows, ""]),
        "was,titel\n" + "".join(f"a{n},Nachricht {n}\n" for n in range(60)),
    )
    assert len(stream.users) > 4000
    assert "user is the column wer" in "".join(left_out.notes())


def test_few_values_with_thousands_of_rows_each_are_no_users(tmp_path: Path) -> None:
    rows = [f"a{n % 60},2026-03-01T{n % 24:02}:00:00,{'pt'[n % 2]}" for n in range(7000)]
    with pytest.raises(ConfigError, match="no column for user; it has item, time, worauf"):
        read(tmp_path, "\n".join(["item,time,worauf", *rows, ""]))


@pytest.mark.parametrize(
    "name", ["Leser", "Kundennr", "buyer", "listener", "cook", "visitor", "firma", "cookie", "x7"]
)
def test_the_only_column_left_is_the_user_and_it_is_said(tmp_path: Path, name: str) -> None:
    rows = [f"w{n % 40},i{n % 30},2026-03-{1 + n % 28:02}" for n in range(200)]
    stream, left_out = read(tmp_path, "\n".join([f"{name},item_id,date", *rows, ""]))
    assert len(stream.users) == 40
    assert f"user is the column {name}. --map COLUMN=FIELD says otherwise." in left_out.assumed[1]


@pytest.mark.parametrize("name", ["track", "recipe", "page", "artikel_nr", "url"])
def test_a_name_that_mostly_means_an_item_is_one_without_a_file_of_items(
    tmp_path: Path, name: str
) -> None:
    rows = [f"w{n % 40},i{n % 30},2026-03-{1 + n % 28:02},{n % 50}" for n in range(200)]
    stream, _ = read(tmp_path, "\n".join([f"listener,{name},date,seconds", *rows, ""]))
    assert (len(stream.users), len(stream.items)) == (40, 30)


def test_numbers_of_products_are_no_times(tmp_path: Path) -> None:
    rows = [
        f"{n % 40},{4_006_381_333_000 + n % 30},{885_909_950_000 + n},2026-03-{1 + n % 28:02}"
        for n in range(200)
    ]
    stream, left_out = read(tmp_path, "\n".join(["user,ean,upc,wann", *rows, ""]))
    assert len(stream.items) == 30
    assert "occurred_at is the column wann" in "".join(left_out.assumed)


def test_every_missing_column_of_both_files_is_said_at_once(tmp_path: Path) -> None:
    rows = [f"{n % 40}.5,{n % 30}.5" for n in range(200)]
    items = "a,b\n" + "x,y\n" * 30
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "\n".join(["p,q", *rows, ""]), items)
    words = str(caught.value)
    assert "events.csv has no column for user, item, occurred_at; it has p, q" in words
    assert "items.csv has no column for id; it has a, b" in words
    assert "--user-column" in words
    assert "--id-column" in words


def test_an_order_of_a_customer_or_a_customer_is_asked(tmp_path: Path) -> None:
    rows = [f"b{n // 2},k{n % 40},i{n % 30},2026-03-{1 + n % 28:02}" for n in range(400)]
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "\n".join(["nr,wer,item,date", *rows, ""]))
    assert "user: is it 'nr' (200 values) or 'wer' (40 values)? name it with" in str(caught.value)
