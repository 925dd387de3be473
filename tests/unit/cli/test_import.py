"""`penchant import` against the fake: good rows are sent, bad ones set aside, cuts resumed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from grpc import StatusCode

from penchant.cli import client
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support import command
from tests.support.command import Ran


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    return server


def run(*arguments: object) -> Ran:
    return command.run(["import", *arguments])


def jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def films(path: Path, count: int) -> Path:
    return jsonl(path, ({"id": str(n), "text": f"film {n}"} for n in range(count)))


def likes(path: Path, count: int, **more: Any) -> Path:
    row = {"user": "ann", "signal": "like", **more}
    return jsonl(path, ({**row, "item": str(n), "occurred_at": n} for n in range(count)))


def side_files(path: Path) -> list[str]:
    return sorted(other.name for other in path.parent.iterdir() if other.name != path.name)


def rejected(path: Path) -> list[tuple[int, str]]:
    lines = path.with_name(path.name + ".rejected.jsonl").read_text().splitlines()
    return [(row["row"], row["reason"]) for row in map(json.loads, lines)]


def test_items_of_a_csv_file_by_a_template(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    path.write_text("movie,title,year\n1,Heat,1995\n2,Fargo,1996\n")
    result = run("items", path, "--map", "movie=id", "--text-template", "{title} ({year})")
    assert result.exit_code == 0
    assert "new or changed" in result.output
    got = FakePenchant(server).get_items(["1", "2"]).items
    assert [item.text for item in got] == ["Heat (1995)", "Fargo (1996)"]
    assert got[0].attributes == {"title": "Heat", "year": "1995"}
    assert side_files(path) == []


def test_bad_rows_go_to_the_side_file_and_the_good_ones_in(
    server: FakeServer, tmp_path: Path
) -> None:
    path = jsonl(
        tmp_path / "films.jsonl",
        [{"id": "1", "text": "one"}, {"id": "", "text": "x"}, {"id": "3", "text": "three"}],
    )
    result = run("items", path)
    assert result.exit_code == 0
    assert "films.jsonl.rejected.jsonl" in result.output.replace("\n", "")
    assert rejected(path) == [(2, "id: column 'id' is empty")]
    assert FakePenchant(server).get_items(["1", "3"]).unknown == ()


def test_the_later_of_two_rows_with_one_id_wins(server: FakeServer, tmp_path: Path) -> None:
    rows = [{"id": "1", "text": "old"}, {"id": "2", "text": "two"}, {"id": "1", "text": "new"}]
    result = run("items", jsonl(tmp_path / "films.jsonl", rows))
    assert FakePenchant(server).get_items(["1"]).items[0].text == "new"
    assert "Warning: 1 id stands in more than one row" in result.output
    assert "its last row counts: the first is '1', in line 1 and line 3" in result.output


def test_a_refused_call_of_items_is_narrowed_down_to_the_one_to_blame(
    server: FakeServer, tmp_path: Path
) -> None:
    path = films(tmp_path / "films.jsonl", 20)
    # The first call is refused, then both halves of it are taken.
    server.fail_next("[InvalidRequest] items[3]: no", code=StatusCode.INVALID_ARGUMENT, times=1)
    assert run("items", path).exit_code == 0
    assert FakePenchant(server).get_items(["0"]).item_count == 20
    # Refused whatever the size: each item is rejected for itself, once.
    server.fail_next("[InvalidRequest] text: no", code=StatusCode.INVALID_ARGUMENT, times=39)
    assert run("items", path).exit_code == 1
    assert rejected(path) == [(n, "text: no") for n in range(1, 21)]


def test_events_are_learnt_once(server: FakeServer, tmp_path: Path) -> None:
    run("items", films(tmp_path / "films.jsonl", 5))
    path = likes(tmp_path / "likes.jsonl", 5)
    assert "accepted" in run("events", path).output
    assert "known already" in run("events", path).output
    assert FakePenchant(server).user("ann").state_version == 5


def test_ratings_need_no_column_for_their_signal(server: FakeServer, tmp_path: Path) -> None:
    run("items", films(tmp_path / "films.jsonl", 1))
    path = tmp_path / "ratings.tsv"
    path.write_text("uid\titem\tstars\tts\n7\t0\t5\t1000\n")
    columns = ("--user-column", "uid", "--value-column", "stars", "--time-column", "ts")
    run("events", path, *columns, "--signal", "rating", "--time-unit", "ms")
    (row,) = FakePenchant(server).export_user("7").events
    assert (row.event.signal, row.event.value, row.event.occurred_at_us) == ("rating", 5, 1_000_000)


def test_a_refused_event_is_set_aside_with_the_servers_reason(
    server: FakeServer, tmp_path: Path
) -> None:
    run("items", films(tmp_path / "films.jsonl", 1))
    path = likes(tmp_path / "likes.jsonl", 2)
    assert run("events", path).exit_code == 0
    ((row, reason),) = rejected(path)
    assert row == 2
    assert reason.startswith("UnknownItem: item: got '1'")


def test_all_rows_bad_is_a_failure(server: FakeServer, tmp_path: Path) -> None:
    path = likes(tmp_path / "likes.jsonl", 3, when="yesterday")
    result = run("events", path, "--map", "when=occurred_at")
    assert result.exit_code == 1
    assert len(rejected(path)) == 3
    assert FakePenchant(server).rank("ann").cold_start


@pytest.mark.parametrize("name", ["nothing.csv", "nothing", "_SUCCESS", "nothing.parquet"])
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "id,text\n"])
def test_a_file_without_a_row_is_a_failure_that_says_so(
    server: FakeServer, tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    for kind in ("items", "events"):
        result = run(kind, path, *(() if kind == "items" else ("--map", "text=user")))
        assert result.exit_code == 1
        assert re.search("is empty|no rows|no column for|not a Parquet file", result.output)


def test_what_was_cut_off_goes_on_behind_the_last_acked_row(
    server: FakeServer, tmp_path: Path
) -> None:
    run("items", films(tmp_path / "films.jsonl", 1))
    path = likes(tmp_path / "likes.jsonl", 2500)  # Three batches; all but the first are refused.
    calls = 0

    def cut_off(target: str) -> FakePenchant:
        penchant = FakePenchant(server)
        real = penchant.feedback

        def feedback(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        penchant.feedback = feedback  # type: ignore[method-assign]
        return penchant

    patch = pytest.MonkeyPatch()
    with patch.context() as context:
        context.setattr(client, "connect", cut_off)
        first = run("events", path)
    assert "1,000 rows are done" in first.output
    assert "likes.jsonl.import.json" in side_files(path)
    second = run("events", path)
    assert "Going on behind row 1,000" in second.output
    assert [row for row, _ in rejected(path)] == list(range(2, 2501))
    assert "likes.jsonl.import.json" not in side_files(path)


def test_a_changed_file_or_other_columns_start_over(server: FakeServer, tmp_path: Path) -> None:
    path = films(tmp_path / "films.jsonl", 3)
    state = tmp_path / "films.jsonl.import.json"
    state.write_text('{"inputs": {}, "row": 2, "counts": {}, "rejected_bytes": 0}')
    run("items", path)
    assert FakePenchant(server).get_items(["0"]).item_count == 3
    state.write_text("not JSON")
    assert run("items", path).exit_code == 0
    assert not state.exists()


@pytest.mark.parametrize("entry", ["title", "=id", "title=name"])
def test_a_mapping_that_does_not_fit_is_refused(
    server: FakeServer, tmp_path: Path, entry: str
) -> None:
    result = run("items", films(tmp_path / "films.jsonl", 1), "--map", entry)
    assert (result.exit_code, "--map" in result.stderr) == (1, True)


def test_a_server_that_is_down_is_one_plain_line(tmp_path: Path, server: FakeServer) -> None:
    path = films(tmp_path / "films.jsonl", 1)
    server.fail_next("connection refused", code=StatusCode.UNAVAILABLE, times=9)
    result = run("items", path)
    assert (result.exit_code, "penchant serve" in result.stderr) == (1, True)


def test_events_by_the_other_usual_names_of_their_columns(
    server: FakeServer, tmp_path: Path
) -> None:
    run("items", films(tmp_path / "films.jsonl", 1))
    path = tmp_path / "ratings.csv"
    path.write_text("user_id,item_id,rating,timestamp\n7,0,5,1000\n")
    assert run("events", path).exit_code == 0
    (row,) = FakePenchant(server).export_user("7").events
    assert (row.event.signal, row.event.value) == ("rating", 5)


def test_a_quote_that_is_not_closed_costs_its_row_and_ends_with_status_1(
    server: FakeServer, tmp_path: Path
) -> None:
    path = tmp_path / "films.csv"
    rows = [f"q{number},film {number}" for number in range(1, 2005)]
    rows[3] = 'q4,"12 Angry Men'
    path.write_text("\n".join(["id,text", *rows, ""]))
    result = run("items", path)
    assert result.exit_code == 1
    assert rejected(path) == [(4, "the quote that opens here is not closed")]
    assert "row 4, line 5: the quote that opens here is not closed" in result.output
    assert "Error: 1 quote not closed" in result.output
    assert FakePenchant(server).get_items(["q3", "q5", "q2004", "q4"]).unknown == ("q4",)


def test_a_file_of_which_every_row_is_rejected_shows_the_first_reasons(
    server: FakeServer, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text("user,item,signal,occurred_at\n" + "ann,1,like,1700000000123\n" * 5)
    result = run("events", path, "--time-unit", "s")
    assert result.exit_code == 1
    assert "row 1, line 2: occurred_at: got '1700000000123'" in result.output
    assert "--time-unit ms makes it 2023-11-14" in result.output
    assert "Error: every row was rejected." in result.output


def test_one_bad_time_costs_its_row_and_the_span_of_the_others_is_said(
    server: FakeServer, tmp_path: Path
) -> None:
    films(tmp_path / "films.jsonl", 3)
    run("items", tmp_path / "films.jsonl")
    path = tmp_path / "events.csv"
    times = (1_500_000_000, 1_700_000_000_123_456_789, 1_600_000_000)
    rows = (f"ann,{n},like,{at}\n" for n, at in enumerate(times))
    path.write_text("userId,itemId,event_type,ts\n" + "".join(rows))
    result = run("events", path)
    assert result.exit_code == 0
    assert [number for number, _ in rejected(path)] == [2]
    assert "Times: 2017-07-14 to 2020-09-13." in result.output


def test_times_and_values_of_an_unusual_form_are_read_and_it_is_said(
    server: FakeServer, tmp_path: Path
) -> None:
    films(tmp_path / "films.jsonl", 3)
    run("items", tmp_path / "films.jsonl")
    path = tmp_path / "events.csv"
    path.write_text("user;item;rating;occurred_at\nann;1;4,5;20240501\nann;2;1,5;20240502\n")
    output = run("events", path).output
    assert "All times of the column occurred_at are read as dates written as one number" in output
    assert "All values of the column rating are read as numbers with a decimal comma." in output
    assert "Times: 2024-05-01 to 2024-05-02." in output
    assert "rejected" not in output
    given = run("events", path, "--time-unit", "s", "--state", tmp_path / "state.json")
    assert "1970-08-23 to 1970-08-23: is the unit right?" in given.output


def test_a_long_description_of_a_template_costs_no_item(server: FakeServer, tmp_path: Path) -> None:
    path = tmp_path / "films.csv"
    path.write_text(
        f",id,title,description\n0,1,Heat,{'x' * 2000}\n1,2,Fargo,short\n2,3,Up,{'y ' * 9000}\n"
    )
    result = run("items", path, "--text-template", "{title}. {description}")
    assert result.exit_code == 0
    assert "attribute 'description' of more than 1,024 bytes left out: 2 rows" in result.output
    assert "text cut to 8,192 bytes: 1 rows" in result.output
    one, two, three = FakePenchant(server).get_items(["1", "2", "3"]).items
    assert (one.text, dict(one.attributes)) == (f"Heat. {'x' * 2000}", {"title": "Heat"})
    assert dict(two.attributes) == {"title": "Fargo", "description": "short"}
    assert len(three.text) <= 8192


@pytest.mark.parametrize("kind", ["notes", "json", "list", "pipe", "directory"])
def test_a_state_that_no_import_wrote_is_refused_and_stays(
    server: FakeServer, tmp_path: Path, kind: str
) -> None:
    path, state = films(tmp_path / "films.jsonl", 3), tmp_path / "state"
    if kind == "pipe":
        os.mkfifo(state)
    elif kind == "directory":
        state.mkdir()
    else:
        state.write_text({"notes": "my notes", "json": '{"a": 1}', "list": '["inputs"]'}[kind])
    result = run("items", path, "--state", state)
    assert result.exit_code == 1
    assert f"--state: {state} holds something other than the progress of an import" in result.stderr
    assert state.exists()


def test_an_empty_state_is_a_new_one(server: FakeServer, tmp_path: Path) -> None:
    """As `mktemp` makes it."""
    path, state = films(tmp_path / "films.jsonl", 3), tmp_path / "state"
    state.touch()
    assert run("items", path, "--state", state).exit_code == 0
    assert not state.exists()
