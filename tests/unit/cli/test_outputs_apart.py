"""No command replaces what it reads, or writes into the store that it copies."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from penchant.cli import client
from penchant.report.page import check_writable
from penchant.store.lmdb import LmdbStore
from penchant_sdk.testing import FakePenchant, FakeServer
from tests.support.command import run
from tests.support.shop_log import write_shop
from tests.support.world import World, liked


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("shop")
    write_shop(place)
    (place / "hours.csv").write_text("user,title,hours\nann,Chess,3\n")
    (place / "impressions.csv").write_text("item,reward,propensity\na,1,0.5\n")
    store = LmdbStore(place / "store", map_bytes=1 << 26)
    world = World(place / "store" / "catalog", store=store)
    world.put(toy="toy story")
    world.feed(liked("e1", "toy"))
    store.close()
    return place


def log(shop: Path) -> list[object]:
    return ["--items", shop / "items.csv", "--events", shop / "events.csv"]


COMMANDS: dict[str, Callable[[Path, Path], list[object]]] = {
    "evaluate --json": lambda shop, to: ["evaluate", *log(shop), "--json", to],
    "evaluate --report": lambda shop, to: ["evaluate", *log(shop), "--report", to],
    "gate --json": lambda shop, to: [
        *("gate", *log(shop), "--baseline", shop / "encoder", "--candidate", shop / "encoder"),
        *("--json", to),
    ],
    "gate --freeze-probes": lambda shop, to: [
        *("gate", *log(shop), "--baseline", shop / "encoder", "--candidate", shop / "encoder"),
        *("--freeze-probes", to),
    ],
    "quantize": lambda shop, to: [
        "quantize",
        "--source",
        shop / "encoder",
        *log(shop),
        "--output",
        to,
    ],
    "finetune": lambda shop, to: ["finetune", *log(shop), "--output", to],
    "prune": lambda shop, to: ["prune", "--source", shop / "encoder", *log(shop), "--output", to],
}
OTHERS: dict[str, tuple[str, Callable[[Path, Path], list[object]]]] = {
    "ope": ("impressions.csv", lambda file, to: ["ope", file, "--policy", "uniform", "--json", to]),
    "calibrate": (
        "impressions.csv",
        lambda file, to: ["calibrate", "--impressions", file, "--output", to],
    ),
    "import items": ("items.csv", lambda file, to: ["import", "items", file, "--state", to]),
    "import events": ("events.csv", lambda file, to: ["import", "events", file, "--state", to]),
    "import games": (
        "hours.csv",
        lambda file, to: ["import", "games", "--hours", file, "--output", to],
    ),
    "import games --events-output": (
        "hours.csv",
        lambda file, to: ["import", "games", "--hours", file, "--events-output", to],
    ),
}


def contents(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def check_refused(
    monkeypatch: pytest.MonkeyPatch, shop: Path, arguments: Sequence[object], words: str
) -> None:
    monkeypatch.setattr(client, "connect", lambda target: FakePenchant(FakeServer()))
    before = contents(shop)
    ran = run(arguments, columns=400)
    assert (ran.exit_code, words in ran.stderr) == (1, True), ran.output
    assert contents(shop) == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("file", ["items.csv", "events.csv", "a link"])
def test_no_output_takes_the_place_of_a_log(
    monkeypatch: pytest.MonkeyPatch, shop: Path, tmp_path: Path, command: str, file: str
) -> None:
    to = shop / file
    if file == "a link":
        to = tmp_path / "link.csv"
        to.symlink_to(shop / "events.csv")
    check_refused(monkeypatch, shop, COMMANDS[command](shop, to), "which this command reads")


@pytest.mark.parametrize("command", OTHERS)
def test_nor_that_of_another_file(
    monkeypatch: pytest.MonkeyPatch, shop: Path, command: str
) -> None:
    name, arguments = OTHERS[command]
    file = shop / name
    check_refused(monkeypatch, shop, arguments(file, file), "which this command reads")


def test_nor_that_of_an_encoder_or_of_a_directory_around_it(
    monkeypatch: pytest.MonkeyPatch, shop: Path
) -> None:
    command = ["quantize", "--source", shop / "encoder", *log(shop), "--output"]
    check_refused(monkeypatch, shop, [*command, shop / "encoder"], "which this command reads")
    check_refused(monkeypatch, shop, [*command, shop], "which this command reads")


def test_two_outputs_may_go_to_one_device() -> None:
    nothing = Path(os.devnull)
    check_writable(nothing, "--json", [nothing])
    check_writable(nothing, "--report", [nothing])


@pytest.mark.parametrize("command", ["backup", "ship"])
@pytest.mark.parametrize("to", ["", "copy", "tenants/copy", "../store/copy", "link"])
def test_no_copy_of_a_store_lands_inside_it(
    monkeypatch: pytest.MonkeyPatch, shop: Path, tmp_path: Path, command: str, to: str
) -> None:
    place = shop / "store" / to
    if to == "link":
        (tmp_path / "link").symlink_to(shop / "store")
        place = tmp_path / "link" / "copy"
    check_refused(
        monkeypatch,
        shop,
        [command, "--store", f"lmdb:{shop / 'store'}", "--to", place],
        "the store",
    )


def test_impressions_are_not_written_among_the_files_of_a_shipped_log(
    monkeypatch: pytest.MonkeyPatch, shop: Path
) -> None:
    shipped = shop / "shipped"
    assert run(["ship", "--store", f"lmdb:{shop / 'store'}", "--to", shipped]).exit_code == 0
    (part,) = shipped.glob("date=*/*.parquet")
    arguments = ["impressions", "--store", f"lmdb:{shop / 'store'}", "--shipped", shipped]
    check_refused(monkeypatch, shop, [*arguments, "--output", part], "inside the shipped log")
