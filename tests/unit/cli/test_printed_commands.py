"""Every command line that a command prints runs as it is printed, in the same directory."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import demos
import penchant
from penchant.cli import client
from penchant.cli.main import COMMANDS, make_app, options_of
from penchant.cli.next_steps import command_line
from penchant.cli.serve import _summary, _way_in
from penchant.config import parse
from penchant.encoder.library import EncoderLibrary
from penchant.encoder.onnx import OnnxEncoder
from penchant.launch import layout
from penchant.launch.ports import Ports
from penchant.launch.server import Server
from penchant.server.app import build
from penchant.service.meter import SilentMeter
from penchant.store.lmdb import LmdbStore
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support.command import Ran, run
from tests.support.feeder import MAP_BYTES
from tests.support.kinds_shop import ITEMS, fill_with_kinds
from tests.support.printed_commands import commands_in
from tests.support.word_encoder import write_word_encoder
from tests.support.world import World
from tests.unit.launch.standin import write_sources
from tests.unit.training.compress.planted import write_log, write_outlier_encoder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a space in its name, and a store that a server has served."""
    root = tmp_path / "a shop's place"
    root.mkdir()
    monkeypatch.chdir(root)
    first = write_word_encoder(root / "first one", ITEMS, dimensions=32, seed=1)
    write_word_encoder(root / "second one", ITEMS, dimensions=32, seed=2)
    address = f"lmdb:{root / '.penchant' / 'store'}"
    given = {"store": address, "encoder": str(first), "store_map_bytes": str(MAP_BYTES)}

    def load(directory: Path) -> OnnxEncoder:
        return OnnxEncoder.load(directory, threads=1)

    encoders = EncoderLibrary(load(first), root / ".penchant" / "store" / "releases", load)
    build(["penchant_feedback"], parse(given), encoders, SilentMeter()).close()
    store = LmdbStore(root / ".penchant" / "store", map_bytes=MAP_BYTES)
    world = World(root / ".penchant" / "store" / "catalog", store=store, encoders=encoders)
    fill_with_kinds(world, 12)
    store.close()
    return root


def succeeding(*arguments: str) -> Ran:
    ran = run(arguments)
    assert ran.exit_code == 0, (arguments, ran.output)
    return ran


def test_what_publish_prints_runs_up_to_the_way_back_to_the_start(place: Path) -> None:
    published = succeeding("publish", "--candidate", "second one", "--no-gate")
    releases, rollback = commands_in(published.output)
    assert (releases[0], rollback[0]) == ("releases", "rollback")
    succeeding(*releases)
    back = succeeding(*rollback)
    assert "what was there before any release" in back.output
    (again,) = commands_in(back.output)
    succeeding(*again)


def test_what_publish_prints_names_the_encoder_that_it_was_given(place: Path) -> None:
    given = ("--encoder", "first one", "--store", "lmdb:.penchant/store")
    built = succeeding("publish", "--candidate", "second one", "--no-gate", "--build-only", *given)
    (publish,) = commands_in(built.output)
    served = run([*publish, "--no-gate"])
    assert served.exit_code == 0, served.output
    _, rollback = commands_in(served.output)
    assert rollback[rollback.index("--encoder") + 1] == "first one"
    succeeding(*rollback)


def test_what_a_rollout_prints_runs(place: Path) -> None:
    tried = succeeding("publish", "--candidate", "second one", "--no-gate", "--canary", "20%")
    releases, _, rollback = commands_in(tried.output)
    succeeding(*releases)
    assert "is ended" in succeeding(*rollback).output


def test_what_the_other_jobs_on_a_store_print_runs(place: Path) -> None:
    for first in (
        ("releases",),
        ("refresh",),
        ("rebuild",),
        ("impressions", "--output", "im pressions.csv"),
        ("config", "init"),
    ):
        ran = run(first)
        for command in commands_in(ran.output):
            if command[0] != "ope":  # This store holds no impressions to judge.
                succeeding(*command)


def test_what_quantize_prints_runs(place: Path) -> None:
    write_outlier_encoder(place / "an encoder")
    write_log(place)
    log = ("--items", "items.csv", "--events", "events.csv", "--signal", "like")
    part = ("--validation-fraction", "0.5", "--max-loss", "90%")
    ran = run(["quantize", "--source", "an encoder", "--output", "int 8", *log, *part])
    assert ran.exit_code == 0, ran.output
    (publish,) = commands_in(ran.output)
    succeeding(*publish, "--no-gate")


def test_what_install_and_serve_print_runs(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tmp_path / "shop"  # Triton hands its directories to a shell as they are.
    place.rename(plain)
    monkeypatch.chdir(plain)
    server = FakeServer()
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(server))
    sources = write_sources(plain)
    monkeypatch.setattr(layout, "find_sources", lambda: sources)
    places = ("--backends", "backends", "--models", "models", "--create")
    installed = succeeding("install", *places, "--store", "lmdb:s", "--encoder", "first one")
    serving = Server(plain / "s", {"store": "lmdb:/a b", "encoder": "/e"}, ports=Ports(1, 2, 3))
    summary = _summary(serving, {"store": "lmdb:/a b", "encoder": "/e"}, 300.0)
    for command in commands_in(installed.output + summary):
        # A server that is not there, and a clock that never ends.
        if command[0] == "doctor" or "--every" in command:
            assert parsed(command)
        else:
            succeeding(*command)


def test_serve_says_what_its_commands_need_beside_where_it_asks_for_it() -> None:
    assert _way_in(tls=False, parameters={}) == "Ctrl-C stops it."
    assert "--tls " in _way_in(tls=True, parameters={})
    assert "--token-file " in _way_in(tls=False, parameters={"token_keys": "/keys"})


def parsed(command: list[str]) -> bool:
    """Whether a command line is read without complaint."""
    make_app().parse_args(command, print_error=False, exit_on_error=False)
    return True


def test_quoting_survives_a_shell() -> None:
    words = ["rank", 'it\'s a "user"', "--target", "h:1", "$(id)"]
    (back,) = commands_in("  " + command_line(*words) + "  says why")
    assert back == words


NAMED = re.compile(r"penchant ([a-z][a-z-]+)((?: +(?:--[a-z][a-z-]*|[A-Z{][^ `,;]*))*)")


def texts_in_the_code() -> list[tuple[Path, str]]:
    """Every text of the package and of the demos that is no docstring."""
    found = []
    for package in (penchant, demos):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            docs = {
                id(node.value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            }
            for node in ast.walk(tree):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and id(node) not in docs:
                    found.append((path, text))
    return found


def test_every_command_that_a_text_of_the_code_names_exists_with_its_options() -> None:
    names = 0
    for path, text in texts_in_the_code():
        for quoted in re.findall(r"`(penchant [^`]+)`", text):
            if quoted == "penchant --help":
                continue
            match = NAMED.match(quoted)
            if match is None or match[1] not in COMMANDS:
                pytest.fail(f"{path}: {quoted}")
            names += 1
            given = set(re.findall(r"--[a-z][a-z-]*", quoted)) - {"--help", "--config"}
            if make_app()[match[1]].default_command is not None:
                assert given <= options_of(match[1]).keys(), f"{path}: {quoted}"
    assert names > 10
