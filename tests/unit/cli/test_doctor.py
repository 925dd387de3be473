"""`penchant doctor` prints each check, and its status says whether one fails."""

from __future__ import annotations

import pytest

from penchant.cli import doctor
from penchant.launch.check import Check, CheckState
from tests.support.command import run


@pytest.mark.parametrize(("state", "status"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_the_status_is_1_only_where_a_check_fails(
    state: CheckState, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Check("thing", state, "found [it]", "do [this]")
    monkeypatch.setattr(doctor, "diagnose", lambda request: iter([row]))
    result = run(["doctor"])
    assert result.exit_code == status
    assert "found [it]" in result.output
    assert "do [this]" in result.output
