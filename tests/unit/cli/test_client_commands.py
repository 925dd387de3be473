"""`penchant rank`, `feedback`, `user` and `rebuild`, against the SDK's fake or a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from grpc import StatusCode

from penchant.cli import client
from penchant.store.lmdb import LmdbStore
from penchant.store.users import read_user
from penchant_sdk import Item
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support import command
from tests.support.command import Ran
from tests.support.world import World, liked

ITEMS = [
    Item("1", "A space opera about rockets", {"title": "Rockets"}),
    Item("2", "A kitchen drama " + "and more " * 20),
    Item("3", "A western with horses"),
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    FakePenchant(server).put_items(ITEMS)
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    return server


def run(*arguments: str, given: str = "") -> Ran:
    """Runs a command that is expected to succeed."""
    ran = command.run(arguments, given=given)
    assert ran.exit_code == 0, ran.stderr
    return ran


def failure_of(*arguments: str) -> str:
    """The error of a command that is expected to fail: one line."""
    ran = command.run(arguments)
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1), ran
    return ran.stderr


def test_a_stranger_gets_a_ranking_with_names(server: FakeServer) -> None:
    output = run("rank", "ann", "-k", "3").output
    assert "Rockets" in output
    assert "A kitchen drama and more" in output
    assert "..." in output
    assert "a user without events" in output


def test_a_ranking_says_why(server: FakeServer) -> None:
    run("feedback", "ann", "1", "like")
    output = run("rank", "ann", "--explain", "-k", "1").output
    for words in ("everybody", "lasting taste", "recent likes", "because of", "1 event."):
        assert words in output
    assert "the query" not in output
    assert "the query" in run("rank", "ann", "--explain", "--query", "rockets").output


def test_candidates_that_are_not_in_the_catalog_are_named(server: FakeServer) -> None:
    output = run("rank", "ann", "--candidates", "3, 99,").output
    assert "Not in the catalog: 99" in output
    assert "Rockets" not in output


def test_nothing_to_rank_is_said(server: FakeServer) -> None:
    assert "Nothing to rank" in run("rank", "ann", "--candidates", "99").output


def test_a_ranking_as_json_is_json_alone(server: FakeServer) -> None:
    run("feedback", "ann", "1", "like", "--occurred-at", "2024-05-01T12:00:00Z")
    arguments = ("ann", "--json", "--explain", "--as-of", "2024-05-01T12:00:00Z")
    reply = json.loads(run("rank", *arguments).output)
    assert reply["state_version"] == 1
    share = reply["items"][0]["explanation"]["contributions"][0]
    assert share["occurred_at"] == "2024-05-01T12:00:00+00:00"


def test_what_was_seen_can_be_left_out(server: FakeServer) -> None:
    run("feedback", "ann", "1", "like")
    reply = json.loads(run("rank", "ann", "--json", "--exclude-seen").output)
    assert [item["id"] for item in reply["items"]].count("1") == 0


def test_users_are_merged_and_a_repetition_says_that_nothing_moved(server: FakeServer) -> None:
    run("feedback", "visitor", "1", "like")
    run("feedback", "visitor", "2", "like")
    run("feedback", "ann", "1", "like")
    merged = run("user", "merge", "visitor", "ann").output
    assert "2 events of visitor moved to ann, which is at state version 3." in merged
    assert "0 events of visitor" in run("user", "merge", "visitor", "ann").output
    assert "expected another user" in failure_of("user", "merge", "ann", "ann")
    assert "user: no event of 'merge'" in failure_of("user", "--", "merge")


def test_a_time_that_is_none_is_refused(server: FakeServer) -> None:
    assert "as-of: got 'soon', expected ISO 8601" in failure_of("rank", "ann", "--as-of", "soon")


def test_feedback_is_learnt_and_a_repetition_changes_nothing(server: FakeServer) -> None:
    arguments = ("ann", "2", "rating", "--value", "4", "--event-id", "e1")
    assert "Learnt: ann is at version 1" in run("feedback", *arguments).output
    assert "nothing changed" in run("feedback", *arguments).output


def test_refused_feedback_says_why(server: FakeServer) -> None:
    assert "item: got '99', which the catalog" in failure_of("feedback", "ann", "99", "like")
    assert "signal: got 'adore', expected" in failure_of("feedback", "ann", "1", "adore")


def test_a_user_is_shown(server: FakeServer) -> None:
    for item in ("1", "2", "3"):
        run("feedback", "ann", item, "like")
    output = run("user", "ann", "--last", "2").output
    assert "3 events accepted, 3 in the window, the latest 2 shown" in " ".join(output.split())
    assert "user: no event of 'bob'" in failure_of("user", "bob")


def test_a_user_is_exported_then_forgotten(server: FakeServer, tmp_path: Path) -> None:
    run("feedback", "ann", "1", "like")
    path = tmp_path / "ann.json"
    output = run("user", "ann", "--export", str(path), "--forget", "--yes").output
    assert "1 event of ann written" in output
    assert "ann is forgotten: 1 event deleted." in output
    assert json.loads(path.read_text())["events"][0]["item"] == "1"
    assert "user: no event of 'ann'" in failure_of("user", "ann")


def test_an_export_can_go_to_the_terminal(server: FakeServer) -> None:
    run("feedback", "ann", "1", "like")
    assert json.loads(run("user", "ann", "--export", "-").output)["user"] == "ann"


def test_nothing_is_forgotten_without_a_yes(server: FakeServer) -> None:
    run("feedback", "ann", "1", "like")
    for answer in ("n\n", "\n", ""):
        assert command.run(["user", "ann", "--forget"], given=answer).exit_code == 1
    assert run("user", "ann").exit_code == 0
    assert "forgotten" in run("user", "ann", "--forget", given="y\n").output


def test_an_export_that_cannot_be_written_deletes_nothing(
    server: FakeServer, tmp_path: Path
) -> None:
    run("feedback", "ann", "1", "like")
    path = str(tmp_path / "no" / "ann.json")
    assert "can't be written" in failure_of("user", "ann", "--export", path, "--forget", "--yes")
    assert run("user", "ann").exit_code == 0


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (
            StatusCode.INTERNAL,
            "Stub process 'penchant_rank_0_1' is not healthy.",
            "a model process of the server at localhost:8001 died",
        ),
        (StatusCode.UNAVAILABLE, "connection refused", "no answer from localhost:8001; start"),
        (StatusCode.NOT_FOUND, "unknown model", "does not serve Penchant"),
    ],
)
def test_no_server_is_one_line_that_says_how_to_start_one(
    server: FakeServer, code: StatusCode, message: str, expected: str
) -> None:
    server.fail_next(message, code=code, times=9)
    error = failure_of("rank", "ann")
    assert expected in error
    assert "penchant serve" in error


def test_rebuild_wants_a_store_that_is_there(tmp_path: Path) -> None:
    missing = command.run(["rebuild", "--store", f"lmdb:{tmp_path / 'none'}"])
    assert (missing.exit_code, "there is none" in missing.stderr) == (1, True)
    unknown = command.run(["rebuild", "--store", f"lmdb:{tmp_path}", "--set", "windows=3"])
    assert (unknown.exit_code, "unknown setting" in unknown.stderr) == (1, True)


def test_rebuild_reads_old_events_under_new_settings(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    store = LmdbStore(directory, map_bytes=1 << 22)
    world = World(tmp_path / "catalog", store=store)
    world.put(a="rockets", b="horses", c="kitchens")
    world.feed(*(liked(f"e{item}", item) for item in "abc"))
    store.close()

    given = ["rebuild", "--store", f"lmdb:{directory}", "--set", "window_events=2"]
    assert command.run(given).output == (
        "Rebuilt the records of 1 user and the counters of 3 items.\n"
    )
    assert command.run([*given, "--part", "records"]).output == "Rebuilt the records of 1 user.\n"

    again = LmdbStore(directory, map_bytes=1 << 22)
    with again.snapshot() as snapshot:
        state = read_user(snapshot, "u")
    assert state is not None
    assert (state.record.state_version, len(state.record.window)) == (3, 2)
    again.close()
