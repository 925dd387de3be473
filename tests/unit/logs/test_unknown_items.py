"""A log about other items than the catalog's: it is said, with what the ids differ by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.cli import client
from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.unknown_items import likely_cause, other_spellings
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support.command import run

WRITTEN: dict[str, Callable[[str], str]] = {
    "upper and lower case": str.upper,
    "zeros in front": lambda id_: f"00{id_}",
    "letters before the number": lambda id_: f"tt{id_}",
}
HELD: dict[str, list[str]] = {
    "upper and lower case": [f"tent{n}" for n in range(30)],
    "zeros in front": [str(n) for n in range(1, 31)],
    "letters before the number": [str(n) for n in range(1, 31)],
}


def files(place: Path, held: list[str], said: list[str]) -> tuple[Path, Path]:
    items, events = place / "items.csv", place / "events.csv"
    items.write_text("id,text\n" + "".join(f"{id_},a tent\n" for id_ in held))
    rows = (f"ann,{id_},like,{1_600_000_000 + n}\n" for n, id_ in enumerate(said))
    events.write_text("user,item,signal,ts\n" + "".join(rows))
    return items, events


def read(items: Path, events: Path) -> LeftOut:
    left_out = LeftOut()
    read_log(LogSource(items, events), DEFAULT_SIGNALS, "reward>0", left_out, "")
    return left_out


@pytest.mark.parametrize("what", WRITTEN)
def test_ids_that_differ_in_their_spelling_alone_are_named_by_every_reader(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    held = HELD[what]
    items, events = files(tmp_path, held, [WRITTEN[what](id_) for id_ in held])
    with pytest.raises(ConfigError, match=f"share no id of 30: .* would be .* but for {what}"):
        read(items, events)
    server = FakeServer()
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    assert "it holds none: import them first" in run(["import", "events", events]).output
    run(["import", "items", items])
    ran = run(["import", "events", events])
    assert ran.exit_code == 1
    assert "30 of 30 events are about items that the server does not hold" in ran.output
    assert f"but for {what}" in ran.output.replace("\n", " ")


def test_users_and_items_in_each_others_column_are_noticed(tmp_path: Path) -> None:
    items, events = files(tmp_path, [f"i{n}" for n in range(9)], ["i1", "i2", "i3"])
    events.write_text(events.read_text().replace("user,item", "item,user"))
    with pytest.raises(ConfigError, match="are the two columns swapped"):
        read(items, events)


def test_numbers_that_users_and_items_share_are_no_swapped_columns() -> None:
    held = [str(n) for n in range(30)]
    assert likely_cause(["film-1x", "film-2x"], held, held[:12]) == ""
    assert "swapped" in likely_cause(["ann", "bob"], ["i1", "i2"], ["i1", "i2"])


@pytest.mark.parametrize(("strange", "warned"), [(20, True), (3, False)])
def test_a_log_of_which_most_is_about_other_items_is_warned_about(
    tmp_path: Path, strange: int, warned: bool
) -> None:
    held = [f"i{n}" for n in range(30)]
    said = [*held[: 30 - strange], *(f"film/{n}" for n in range(strange))]
    left_out = read(*files(tmp_path, held, said))
    assert left_out.counts["events about unknown items"] == strange
    assert any("share ids in" in one for one in left_out.warnings) is warned


@given(st.text(min_size=1, max_size=12))
def test_any_id_has_other_spellings_of_which_none_is_itself_or_nothing(id_: str) -> None:
    assert not {id_, ""} & set(other_spellings(id_))


@given(st.lists(st.text(max_size=8), max_size=8), st.lists(st.text(max_size=8), max_size=8))
def test_any_ids_give_one_sentence_or_none(unknown: list[str], known: list[str]) -> None:
    assert "\n" not in likely_cause(unknown, known, known)
