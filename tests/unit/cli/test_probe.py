"""`penchant probe`: where it finds the token, and what its exit status says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from penchant.cli import probe
from penchant.launch.probe import ProbeResult
from penchant.launch.tls import ChannelAccess
from tests.support.command import run


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The tokens that the probe showed, in a working directory of its own."""
    tokens: list[str] = []

    def ask(
        target: str, models: Iterable[str], *, timeout_s: float, access: ChannelAccess
    ) -> list[ProbeResult]:
        tokens.append(access.token)
        return [ProbeResult(model, "dead" not in target, 1.0, "ok") for model in models]

    monkeypatch.setattr(probe, "ask", ask)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENCHANT_TOKEN", raising=False)
    return tokens


def test_beside_a_server_its_own_token_is_found(shown: list[str], tmp_path: Path) -> None:
    place = tmp_path / ".penchant" / "serve-8001"
    place.mkdir(parents=True)
    (place / "health-token").write_text("secret\n")
    given = tmp_path / "given"
    given.write_text("another\n")
    assert run(["probe"]).exit_code == 0
    run(["probe", "--target", "127.0.0.1:8001"])
    run(["probe", "--token-file", given])
    run(["probe", "--target", "localhost:9001"])
    run(["probe", "--target", "ranker.example.com:8001"])
    assert shown == ["secret", "secret", "another", "", ""]


def test_a_model_without_a_good_answer_is_a_status_of_its_own(shown: list[str]) -> None:
    assert run(["probe", "--target", "dead:1"]).exit_code == 1
    assert run(["probe", "--model", "penchant_rank"]).exit_code == 0
    unknown = run(["probe", "--model", "nobody"])
    assert (unknown.exit_code, "expected one of" in unknown.output) == (2, True)
