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


def test_a_store_that_cannot_be_looked_into_fails_its_checks_and_no_others() -> None:
    """As one whose directory is another user's; root may look into those, but not into this."""
    place = f"/{'x' * 300}"
    ran = run(["doctor", "--store", f"lmdb:{place}"], columns=1000)
    assert ran.exit_code == 1
    assert "can't be looked into: File name too long; name the server's own" in ran.stdout
    assert "Python" in ran.stdout
    for command in (["releases"], ["evaluate"], ["compact"], ["audit", "show"]):
        ran = run([*command, "--store", f"lmdb:{place}"], columns=1000)
        assert (ran.exit_code, "can't be looked into: File name" in ran.stderr) == (1, True)
