"""A log with open columns is read by every command alike: what is assumed is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut

EVENTS = "user,item,signal,ts\n" + "".join(
    f"u{n % 4},i{n % 6},like,{1_600_000_000 + n}\n" for n in range(24)
)


def texts(place: Path, items: str) -> tuple[list[str], LeftOut]:
    events, catalog = place / "events.csv", place / "items.csv"
    events.write_text(EVENTS)
    if items:
        catalog.write_text(items)
    left_out = LeftOut()
    source = LogSource(catalog if items else None, events)
    stream = read_log(source, DEFAULT_SIGNALS, "reward>0", left_out, "nothing")
    return [item.text for item in stream.items], left_out


def test_the_items_of_events_alone_have_their_ids_as_texts(tmp_path: Path) -> None:
    found, left_out = texts(tmp_path, "")
    assert found == [f"i{n}" for n in range(6)]
    assert "their ids stand in" in "".join(left_out.notes())


def test_items_without_texts_get_them_made_of_what_names_and_groups_them(tmp_path: Path) -> None:
    rows = "".join(f"i{n},lamp {'abcdef'[n]} of brass,{n},{'hall'}\n" for n in range(6))
    found, left_out = texts(tmp_path, "id,title,price,shelf\n" + rows)
    assert found[0] == "lamp a of brass. hall"
    assert "made as '{title}. {shelf}'" in "".join(left_out.notes())


@pytest.mark.parametrize("heading", ["text", "item_text"])
def test_texts_that_are_there_stay_and_nothing_is_assumed(tmp_path: Path, heading: str) -> None:
    rows = "".join(f"i{n},a lamp,brass lamp {n}\n" for n in range(6))
    found, left_out = texts(tmp_path, f"id,{heading},title\n" + rows)
    assert found[0] == "a lamp"
    assert left_out.assumed == []
