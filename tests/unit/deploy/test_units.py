"""The compose file and the systemd unit: parsed by their own rules, closed, and drained in time."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from penchant.cli.main import options_of
from tests.support.handwritten import ROOT

COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
UNIT = ROOT / "deploy" / "systemd" / "penchant.service"
TRITON_S = 20
"""Seconds for which `serve` lets its models finish."""


def interpolated(text: str) -> str:
    """The text with its required variables set, as compose does it."""
    text = re.sub(r"\$\{PENCHANT_IMAGE:\?[^}]+\}", "penchant:0.1.0", text)
    return re.sub(r"\$\{\w+:\?[^}]+\}", "/given", text)


@pytest.fixture(scope="module")
def server() -> dict[str, Any]:
    service: dict[str, Any] = yaml.safe_load(interpolated(COMPOSE.read_text()))["services"][
        "server"
    ]
    return service


def test_compose_is_what_the_specification_says() -> None:
    compose_spec = pytest.importorskip(
        "compose_spec", reason="no compose-spec: pip install '.[deploy]'"
    )
    text = interpolated(COMPOSE.read_text())
    parsed = compose_spec.PyCompose.from_yaml(text)
    assert parsed.get_service("server") is not None
    with pytest.raises(Exception, match="read_onyl"):
        compose_spec.PyCompose.from_yaml(text.replace("read_only: true", "read_onyl: true", 1))


def test_compose_takes_nothing_for_granted_that_only_you_know() -> None:
    named = re.findall(r"\$\{(\w+)(:\?)?", COMPOSE.read_text())
    assert {name for name, _ in named} == {
        "PENCHANT_IMAGE",
        "PENCHANT_ENCODER",
        "PENCHANT_TLS",
        "PENCHANT_TOKEN_KEYS",
    }
    assert all(required for _, required in named)


def test_the_composed_server_is_closed_and_drained(server: dict[str, Any]) -> None:
    assert server["user"] == "10001:10001"
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert server["security_opt"] == ["no-new-privileges:true"]
    assert server["init"] is True
    assert int(server["stop_grace_period"].removesuffix("s")) > TRITON_S + 2
    assert server["healthcheck"]["test"][:3] == ["CMD", "penchant", "probe"]
    public = [port for port in server["ports"] if not str(port).startswith("127.")]
    assert public == ["8001:8001"]
    given = {word.partition("=")[2] for word in server["command"] if "=/etc" in word}
    targets = {one["target"] for one in server["volumes"] if isinstance(one, dict)}
    assert given <= targets


def test_the_options_of_both_are_those_of_this_release(server: dict[str, Any]) -> None:
    unit = read_unit()["ExecStart"][0].split()[2:]
    for words in (server["command"][1:], unit):
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= options_of("serve").keys()
    probe = {word.partition("=")[0] for word in server["healthcheck"]["test"] if "--" in word}
    assert probe <= options_of("probe").keys()


def read_unit() -> dict[str, list[str]]:
    """The values of each key of the unit."""
    values: dict[str, list[str]] = {}
    text = re.sub(r"\\\n\s*", "", UNIT.read_text())
    for line in text.splitlines():
        if line and line[0] not in "#[":
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
    return values


@pytest.fixture
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze: apt install systemd")
    return program


def test_systemd_reads_the_unit_and_finds_it_closed(analyze: str, tmp_path: Path) -> None:
    """Its program is not installed on this machine, so that another stands in."""
    program = read_unit()["ExecStart"][0].split()[0]
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(program, "/bin/true"))
    verified = subprocess.run(
        [analyze, "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
    command = [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(copy)]
    closed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert closed.returncode == 0, closed.stdout.splitlines()[-1]


def test_the_unit_lets_the_models_finish_and_writes_to_its_own_places_alone() -> None:
    unit = read_unit()
    assert unit["KillMode"] == ["mixed"]
    assert int(unit["TimeoutStopSec"][0]) > TRITON_S + 2
    assert unit["User"] == ["penchant"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["WorkingDirectory"] == [f"/var/lib/{unit['StateDirectory'][0]}"]
    assert f"PENCHANT_STORE=lmdb:/var/lib/{unit['StateDirectory'][0]}/store" in unit["Environment"]
    assert unit["Restart"] == ["always"]
