"""An import says what the age of a log means for rankings."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from penchant.cli import client
from penchant_sdk import Item
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support import command


@pytest.mark.parametrize(("age_days", "said"), [(1, None), (60, "60 days"), (1168, "3.2 years")])
def test_an_import_says_how_old_a_log_is_and_what_it_will_weigh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_days: int, said: str | None
) -> None:
    server = FakeServer()
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    FakePenchant(server).put_items([Item("heat", "a heist")])
    path = tmp_path / "log.csv"
    newest = int(time.time()) - age_days * 86_400
    rows = [f"ann,heat,like,{newest - n}" for n in range(3)]
    path.write_text("\n".join(["user,item,signal,occurred_at", *rows]))
    result = command.run(["import", "events", path])
    assert result.exit_code == 0, result.output
    assert ("The log ended" in result.output) == (said is not None)
    if said is not None:
        assert f"The log ended {said} ago" in result.output
        assert "half_life_s" in result.output


def test_a_log_of_which_no_row_was_taken_has_no_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(FakeServer()))
    path = tmp_path / "log.csv"
    path.write_text("user,item,signal,occurred_at\nann,heat,like,1000000000\n")
    output = command.run(["import", "events", path]).output
    assert "every row was rejected" in output
    assert "The log ended" not in output
