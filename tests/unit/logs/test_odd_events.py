"""What is possible in a log and seldom meant is read, and said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.columns import EventColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events
from penchant.logs.refusals import LeftOut

Row = tuple[object, ...]
ROWS: list[Row] = [(f"u{n % 7}", f"i{n % 11}", n % 6, 1_600_000_000 + n) for n in range(60)]


def warnings_of(path: Path, rows: Sequence[Row], heading: str = "user,item,rating,ts") -> str:
    path.write_text("\n".join([heading, *(",".join(map(str, row)) for row in rows)]) + "\n")
    left_out = LeftOut()
    with open_table(path) as table:
        read_events(table, EventColumns(), left_out)
    return "\n".join(filter(None, [*left_out.warnings, left_out.odd_scale]))


def test_a_usual_log_has_no_warning(tmp_path: Path) -> None:
    assert warnings_of(tmp_path / "log.csv", ROWS) == ""


@pytest.mark.parametrize("copies", [10, 60])
def test_rows_that_are_there_twice_are_counted_wherever_they_stand(
    tmp_path: Path, copies: int
) -> None:
    said = warnings_of(tmp_path / "log.csv", [*ROWS, *ROWS[:copies]])
    assert f"{copies} of {60 + copies} rows repeat an earlier row" in said


def test_rows_with_ids_of_their_own_are_no_copies(tmp_path: Path) -> None:
    rows = [(*row, f"e{n}") for n, row in enumerate([*ROWS, *ROWS])]
    assert warnings_of(tmp_path / "log.csv", rows, "user,item,rating,ts,event_id") == ""


@pytest.mark.parametrize(("divisor", "said"), [(5, True), (1, False), (2, False)])
def test_ratings_from_0_to_1_are_asked_about(tmp_path: Path, divisor: int, said: bool) -> None:
    rows = [(user, item, int(str(value)) / divisor, at) for user, item, value, at in ROWS]
    assert ("scale of the signal table" in warnings_of(tmp_path / "log.csv", rows)) is said


def test_what_the_warning_says_of_the_scale_is_so() -> None:
    rating = DEFAULT_SIGNALS["rating"]
    assert (rating.value_min, rating.value_max, rating.neutral) == (0, 5, 2)
