"""The signal tables of the guide, one a domain: each is read, learns, and has its objective."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penchant.cli.settings_file import read_settings_file
from penchant.config import parse
from penchant.domain.objective import find_objective
from penchant.domain.rewards import SignalTable, resolve
from penchant.domain.types import Event
from penchant.service.rank import RankRequest
from tests.support.world import World

PAGE = (Path(__file__).parents[3] / "docs" / "guides" / "signals.md").read_text()
EXAMPLES = re.findall(r"^\*\*(?:A |An )?([\w ]+?)[.*,].*?```toml\n(.*?)```", PAGE, re.M | re.S)
OBJECTIVES = {
    "shop": ("purchase",),
    "Media": ("play",),
    "game store": ("purchased",),
    "Ads": ("conversion",),
    "home": (),
}
VALUES = {"play": 0.9, "played": 30.0, "rated": 5.0}


def table_of(text: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> SignalTable:
    monkeypatch.chdir(directory)
    (directory / "penchant.toml").write_text(text)
    file = read_settings_file(())
    assert file is not None
    signals = file.settings["signals"]
    return parse({"store": "memory:", "encoder": "e", "signals": signals}).signals


def test_the_guide_has_one_example_a_domain() -> None:
    assert {name for name, _ in EXAMPLES} == set(OBJECTIVES)


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_each_example_is_learnt_from_by_a_server(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = table_of(text, tmp_path, monkeypatch)
    likes = {
        signal: 300 for signal in table if resolve(table, signal, VALUES.get(signal)).reward > 0
    }
    assert find_objective(likes, table).signals == OBJECTIVES[name]
    world = World(tmp_path / "catalog", signals=table)
    world.put(one="kettle steel", two="kettle copper", other="tent green")
    for number, signal in enumerate(table):
        value = VALUES.get(signal)
        reward = resolve(table, signal, value).reward
        user = f"u{number}"
        world.feed(Event(f"e{number}", user, "one", signal, value, world.now_us - 10**10))
        first = world.rank(RankRequest(user, 3, candidates=("two", "other"))).ids[0]
        if reward > 0:
            assert first == "two", signal
