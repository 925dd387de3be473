"""The SDK's names of signals are those of the server's tables."""

from __future__ import annotations

from enum import StrEnum

import pytest

from penchant.domain.signals import SIGNAL_TABLES
from penchant_sdk import DefaultSignal, Event, Item
from penchant_sdk.ads import AdSignal
from penchant_sdk.games import GameSignal
from penchant_sdk.home import HomeSignal
from penchant_sdk.testing import FakePenchant

NAMES: dict[str, type[StrEnum]] = {
    "default": DefaultSignal,
    "ads": AdSignal,
    "games": GameSignal,
    "home": HomeSignal,
}


def test_every_table_has_its_names() -> None:
    assert NAMES.keys() == SIGNAL_TABLES.keys()


@pytest.mark.parametrize("table", NAMES)
def test_the_names_are_those_of_the_table(table: str) -> None:
    assert [str(name) for name in NAMES[table]] == list(SIGNAL_TABLES[table])


@pytest.mark.parametrize("table", NAMES)
def test_the_server_takes_every_name(table: str) -> None:
    with FakePenchant(signals=table) as penchant:
        penchant.put_items([Item("1", "a film")])
        events = [Event("u", "1", name, value=3.0) for name in NAMES[table]]
        penchant.feedback(events).raise_for_refused()
