"""`penchant doctor` on the clock: how it goes, what failed, and whether one runs at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.launch.check import Check
from penchant.launch.diagnosis import check_refresh
from penchant.store.accepted_events import count_accepted
from penchant.store.lmdb import LmdbStore
from penchant.store.refresh_note import RefreshNote, write_refresh_note

NOW_S = 1_700_000_000.0


def checked(directory: Path, note: RefreshNote | None, accepted: int) -> Check:
    store = LmdbStore(directory / "store", map_bytes=1 << 24)
    with store.transaction() as transaction:
        count_accepted(transaction, {"u": accepted})
        if note is not None:
            write_refresh_note(transaction, note)
    store.close()
    (check,) = check_refresh(f"lmdb:{directory / 'store'}", NOW_S)
    return check


def test_a_clock_that_goes_well(tmp_path: Path) -> None:
    note = RefreshNote(NOW_S - 130, 4.25, events=90, accepted=100)
    check = checked(tmp_path, note, 112)
    assert check.state == "ok"
    assert check.found == "2 min ago, in 4.2 s from 90 events; 12 new since"


def test_what_the_weights_are_is_shown_beside_it(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 24)
    with store.transaction() as transaction:
        note = RefreshNote(NOW_S - 130, 4.25, 90, 100, learnt="The objective is purchase.")
        write_refresh_note(transaction, note)
    store.close()
    weights, clock = check_refresh(f"lmdb:{tmp_path / 'store'}", NOW_S)
    assert (weights.name, weights.state, weights.found) == ("weights", "ok", note.learnt)
    assert clock.name == "refresh"


def test_a_clock_that_fails(tmp_path: Path) -> None:
    note = RefreshNote(NOW_S - 9000, 4.0, 90, 100, failures=2, error="No space left on device")
    check = checked(tmp_path, note, 2000)
    assert check.state == "warn"
    assert "failed 2 times since: No space left on device" in check.found


@pytest.mark.parametrize(
    ("note", "accepted", "state"),
    [
        (None, 5, "ok"),
        (None, 5000, "warn"),
        (RefreshNote(NOW_S - 9000, 4.0, 90, 100), 101, "warn"),
        (RefreshNote(NOW_S - 9000, 4.0, 90, 100), 100, "ok"),
    ],
)
def test_events_that_nobody_learns_from_are_named_with_the_remedy(
    tmp_path: Path, note: RefreshNote | None, accepted: int, state: str
) -> None:
    check = checked(tmp_path, note, accepted)
    assert check.state == state
    assert ("penchant refresh --every 5m" in check.advice) == (state == "warn")
