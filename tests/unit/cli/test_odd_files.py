"""One rule for all commands that read files: nothing usable is exit status 1 and a sentence."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penchant.cli import client
from penchant.store.lmdb import LmdbStore
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support.command import run
from tests.support.shop_log import write_shop
from tests.support.world import World

ROW = {"user": "1", "item": "1", "signal": "like", "occurred_at": 9, "reward": 1, "score": 0.1}
OTHERS = {"id": "1", "text": "a tent", "propensity": 0.5, "position": 1, "action": "1"}
COLUMNS = {**ROW, **OTHERS, "probability": 1.0}
HEADING = ",".join(COLUMNS) + "\n"

COMMANDS: dict[str, Callable[[Path, list[object], Path], list[object]]] = {
    "import items": lambda odd, shop, store: ["import", "items", odd],
    "import events": lambda odd, shop, store: ["import", "events", odd],
    "evaluate, events": lambda odd, shop, store: ["evaluate", *shop, "--events", odd],
    "evaluate, items": lambda odd, shop, store: ["evaluate", *shop, "--items", odd],
    "fit": lambda odd, shop, store: ["fit", *shop, "--events", odd, "--minutes", 0],
    "refresh": lambda odd, shop, store: ["refresh", "--store", f"lmdb:{store}", "--events", odd],
    "ope": lambda odd, shop, store: ["ope", odd, "--policy", "uniform"],
    "calibrate": lambda odd, shop, store: ["calibrate", "--impressions", odd],
}


def two_files(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", HEADING)
        archive.writestr("b.csv", HEADING)


FILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "no such file": ("log.csv", lambda path: None),
    "a directory": ("log.csv", lambda path: path.mkdir()),
    "Spark's directory": ("log.parquet", lambda path: spark(path)),
    "no bytes": ("log.csv", lambda path: path.touch()),
    "no bytes, no name": ("_SUCCESS", lambda path: path.touch()),
    "no bytes of Parquet": ("log.parquet", lambda path: path.touch()),
    "a heading": ("log.csv", lambda path: path.write_text(HEADING)),
    "a heading in Parquet": (
        "log.parquet",
        lambda path: pq.write_table(pa.table(dict.fromkeys(COLUMNS, pa.array([], "string"))), path),
    ),
    "other columns": ("log.csv", lambda path: path.write_text("a,b\nx,y\n")),
    "other columns in JSON": ("log.jsonl", lambda path: path.write_text('{"a": "x", "b": "y"}\n')),
    "a JSON array": ("log.json", lambda path: path.write_text(json.dumps([COLUMNS]))),
    "columns in JSON": (
        "log.json",
        lambda path: path.write_text(json.dumps({name: {"0": 1} for name in COLUMNS})),
    ),
    "an archive of two files": ("log.zip", two_files),
    "a web page": ("log.csv", lambda path: path.write_text("<!DOCTYPE html><html></html>")),
    "a damaged file": ("log.csv.gz", lambda path: path.write_bytes(b"\x1f\x8b\x08" + b"\0" * 9)),
}


def spark(path: Path) -> None:
    part = path / "date=2024-01-01" / "part-00000.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pa.table({name: [value] for name, value in COLUMNS.items()}), part)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    return write_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("store") / "store"
    opened = LmdbStore(place, map_bytes=1 << 28)
    World(place / "catalog", store=opened).put(one="first text", two="second text")
    opened.close()
    return place


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_of_nothing_usable_ends_every_command_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shop: list[object],
    store: Path,
    command: str,
    kind: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(FakeServer()))
    name, write = FILES[kind]
    write(tmp_path / name)
    ran = run(COMMANDS[command](tmp_path / name, shop, store), columns=400)
    assert ran.exit_code == 1
    if "Error:" not in ran.stdout:  # Of an import, behind the counts of its rows.
        (line,) = ran.stderr.strip().splitlines()
        assert line.startswith("penchant: ")
        assert name in line or "no row" in line
    assert not list(tmp_path.glob("*.import.json"))


INTO_A_DIRECTORY: dict[str, Callable[[list[object]], list[object]]] = {
    "certs": lambda shop: ["certs"],
    "token keys": lambda shop: ["token", "keys"],
    "home-data": lambda shop: ["home-data"],
    "capacity": lambda shop: ["capacity", "--target", "127.0.0.1:1"],
    "fit": lambda shop: ["fit", *shop, "--minutes", 0],
    "export": lambda shop: ["export"],
}


@pytest.mark.parametrize("command", INTO_A_DIRECTORY)
@pytest.mark.parametrize("kind", ["a file", "below a file", "a link to nothing"])
def test_a_directory_that_cannot_be_is_refused_before_the_work(
    tmp_path: Path, shop: list[object], command: str, kind: str
) -> None:
    output = tmp_path / "output"
    if kind == "a link to nothing":
        output.symlink_to(tmp_path / "nothing")
        if command == "export":
            pytest.skip("replaces the link, as it replaces a directory")
    else:
        output.write_text("a file")
    named = output / "below" if kind == "below a file" else output
    ran = run([*INTO_A_DIRECTORY[command](shop), "--output", named], columns=400)
    assert (ran.exit_code, ran.stderr.count("\n")) == (1, 1), ran.output
    assert ran.stderr.startswith(f"penchant: output: {named} ")
    assert [path.name for path in tmp_path.iterdir()] == ["output"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["import", "items", ""], "--file"),
        (["evaluate", "--events", ""], "--events"),
        (["backup", "--store", "lmdb:store", "--to="], "--to"),
        (["certs", "--output", ""], "--output"),
        (["config", "init", ""], "FILE"),
        (["gate", "--probes", "a", "--probes", ""], "--probes"),
    ],
)
def test_an_empty_path_is_refused_instead_of_meaning_the_working_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(given)
    assert (ran.exit_code, list(tmp_path.iterdir())) == (1, [])
    assert f"penchant: {name}: got an empty text, expected a path" in ran.stderr


def test_so_is_one_in_the_environment_or_in_the_settings_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shop: list[object]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PENCHANT_ENCODER", "")
    assert "penchant: PENCHANT_ENCODER: got an empty text" in run(["evaluate", *shop[:4]]).stderr
    monkeypatch.delenv("PENCHANT_ENCODER")
    (tmp_path / "penchant.toml").write_text('[evaluate]\nevents = ""\n')
    assert "events" in (said := run(["evaluate"]).stderr)
    assert "got an empty text, expected a path" in said
