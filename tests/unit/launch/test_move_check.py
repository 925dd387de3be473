"""Doctor says where a store moves to or came from, and what to do about it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from penchant.launch.check import CheckState
from penchant.launch.move_check import check_move
from penchant.store.lmdb import LmdbStore
from penchant.store.move_note import FILE, MoveNote, MoveState, write_move
from penchant.store.name_keys import NameKeys, write_name_keys

THERE = "valkey://cache:6379/shop"


@pytest.mark.parametrize(
    ("state", "found", "words"),
    [
        ("copied", "warn", "is being moved to"),
        ("arriving", "fail", "an unfinished copy of"),
        ("left", "fail", "takes events by now"),
        ("arrived", "ok", "came from"),
    ],
)
def test_each_end_of_a_move_is_named(
    tmp_path: Path, state: MoveState, found: CheckState, words: str
) -> None:
    address = f"lmdb:{tmp_path}"
    with closing(LmdbStore(tmp_path, map_bytes=1 << 20)) as store:
        pass
    assert list(check_move(address)) == []  # It has never moved.
    write_move(address, store, MoveNote("7", state, THERE))
    (check,) = check_move(address)
    assert (check.state, words in check.found, THERE in check.found) == (found, True, True)
    ends = "--from" in check.advice and "--finish" in check.advice
    assert ends == (state in ("copied", "arriving"))


def test_a_note_that_cannot_be_read_and_names_half_changed_are_failures(tmp_path: Path) -> None:
    address = f"lmdb:{tmp_path}"
    assert list(check_move(address)) == []  # There is no store.
    with (
        closing(LmdbStore(tmp_path, map_bytes=1 << 20)) as store,
        store.transaction() as transaction,
    ):
        write_name_keys(transaction, NameKeys(("a",), "b"))
    (check,) = check_move(address)
    assert (check.state, check.name) == ("fail", "pseudonyms")
    assert "a change to key 2 is under way" in check.found
    (tmp_path / FILE).write_text("{")
    (check,) = check_move(address)
    assert (check.state, check.name) == ("fail", "move")
