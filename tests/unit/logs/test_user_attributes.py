"""What a log knows of its users: a file of them, or columns of the events, as contexts."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.interactions import contexts_vary
from penchant.logs.log_source import MOVIELENS, MOVIELENS_1M, LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream, outcomes_before
from tests.support.movielens import needs_movielens
from tests.support.shop_log import write_csv

USERS = 60
EVENTS = [
    (f"u{n % USERS}", f"i{n % 7}", "like", 1_600_000_000 + n, ("de", "fr")[n % 2])
    for n in range(240)
]


def read(source: LogSource) -> tuple[Stream, str]:
    left_out = LeftOut()
    stream = read_log(source, DEFAULT_SIGNALS, "reward>0", left_out, "nothing")
    return stream, " ".join(left_out.assumed)


def events_file(directory: Path, *more: str) -> Path:
    heading = ["user_id", "item_id", "signal", "timestamp", *more]
    return write_csv(directory / "events.csv", heading, [row[: len(heading)] for row in EVENTS])


def users_file(directory: Path, key: str = "user_id") -> Path:
    rows = [
        (f"u{n}", ("DE", "FR", "")[n % 3], 20 + 10 * (n % 4), f"User {n}", f"{n}@x.org")
        for n in range(USERS + 9)
    ]
    heading = [key, "country", "age", "name", "mail"]
    return write_csv(directory / "users.csv", heading, rows)


@pytest.mark.parametrize("key", ["user_id", "id", "who"])
def test_attributes_in_a_file_of_users_become_contexts(tmp_path: Path, key: str) -> None:
    source = LogSource(events=events_file(tmp_path), users=users_file(tmp_path, key))
    stream, said = read(source)
    event = stream.events[4]
    assert (event.user, event.context) == ("u4", (("age", "20"), ("country", "FR")))
    assert stream.events[2].context == (("age", "40"),)  # An empty cell adds nothing.
    assert "60 of the 60 users" in said
    assert "too few users share a value: name, mail" in said
    found = outcomes_before(stream, 3).context["country"]
    assert [found.values[code] if code >= 0 else "" for code in found.code] == ["DE", "FR", ""]


def test_a_user_in_two_rows_is_said_and_the_last_row_counts(tmp_path: Path) -> None:
    users = users_file(tmp_path)
    assert "more than one row" not in read(LogSource(events=events_file(tmp_path), users=users))[1]
    with users.open("a") as file:
        file.write("u4,DE,30,User,x@x.org\n")
    stream, said = read(LogSource(events=events_file(tmp_path), users=users))
    assert "1 user stands in more than one row of users.csv: the last row counts" in said
    assert stream.events[4].context == (("age", "30"), ("country", "DE"))


def test_columns_of_the_events_are_found_by_their_names(tmp_path: Path) -> None:
    stream, said = read(LogSource(events=events_file(tmp_path, "user_country")))
    assert stream.events[1].context == (("user_country", "fr"),)
    assert "what is known of users: user_country" in said


def test_ids_that_are_made_do_not_depend_on_what_is_known_of_users(tmp_path: Path) -> None:
    """So a log that was imported before, without them, is not counted twice."""
    plain, _ = read(LogSource(events=events_file(tmp_path)))
    with_users, _ = read(LogSource(events=events_file(tmp_path), users=users_file(tmp_path)))
    with_column, _ = read(LogSource(events=events_file(tmp_path, "country")))
    ids = [event.event_id for event in plain.events]
    assert ids == [event.event_id for event in with_users.events]
    assert ids == [event.event_id for event in with_column.events]


def test_what_is_constant_for_each_user_is_no_reason_to_search_for_contexts(
    tmp_path: Path,
) -> None:
    stream, _ = read(LogSource(events=events_file(tmp_path), users=users_file(tmp_path)))
    assert not contexts_vary(outcomes_before(stream, len(EVENTS)))
    stream, _ = read(LogSource(events=events_file(tmp_path, "device")))
    assert not contexts_vary(outcomes_before(stream, 60))
    rows = [(*row[:4], ("hall", "den")[n // 60 % 2]) for n, row in enumerate(EVENTS)]
    heading = ("user_id", "item_id", "signal", "timestamp", "context.room")
    stream, _ = read(LogSource(events=write_csv(tmp_path / "rooms.csv", heading, rows)))
    assert contexts_vary(outcomes_before(stream, len(EVENTS)))


@pytest.mark.parametrize(
    ("heading", "rows", "reason"),
    [
        (("user_id", "country"), [("someone", "DE"), ("else", "FR")], "ids of the events' users"),
        (("user_id", "mail"), [("u1", "a@x.org"), ("u2", "b@x.org")], "that users share"),
        (("user_id",), [("u1",), ("u2",)], "that users share"),
        (("user_id", "country"), [], "rows"),
    ],
)
def test_a_file_that_says_nothing_of_users_is_refused(
    tmp_path: Path, heading: tuple[str, ...], rows: list[tuple[str, ...]], reason: str
) -> None:
    path = write_csv(tmp_path / "users.csv", heading, rows)
    with pytest.raises(ConfigError, match=reason):
        read(LogSource(events=events_file(tmp_path), users=path))


@needs_movielens
def test_the_users_of_a_data_set_come_by_its_name() -> None:
    stream, said = read(LogSource(dataset=MOVIELENS, users=Path(MOVIELENS)))
    assert [key for key, _ in stream.events[0].context] == ["age", "gender", "occupation"]
    assert "zip_code" in said
    with pytest.raises(ConfigError, match="movielens-1m can't be opened"):
        read(LogSource(dataset=MOVIELENS, users=Path(MOVIELENS_1M)))
