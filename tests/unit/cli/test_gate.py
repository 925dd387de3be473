"""`penchant gate` on a small log: from two encoders to a verdict, an exit status and a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from penchant.cli import gating
from penchant.cli.evaluate import evaluate
from penchant.cli.gate import gate
from penchant.domain.errors import ConfigError
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events, read_items
from penchant.logs.refusals import LeftOut
from penchant.store.lmdb import LmdbStore
from tests.support.shop_log import write_shop
from tests.support.word_encoder import write_word_encoder
from tests.support.world import World

APP = typer.Typer(add_completion=False)
APP.command()(gate)
ENOUGH = ("--min-rankings", "20", "--min-users", "5", "--validation-fraction", "0.5")


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def run(*arguments: object) -> Result:
    result = invoke(*arguments)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def shop(tmp_path: Path) -> list[object]:
    """The options that name a small log's files, and what is enough of it."""
    items, events, candidates = "--items", "--events", "--candidates"
    named = dict(zip(*(iter(write_shop(tmp_path)),) * 2, strict=True))
    log = [items, named[items], events, named[events], candidates, named[candidates]]
    return [*log, *ENOUGH]


@pytest.fixture
def good(shop: list[object], tmp_path: Path) -> Path:
    return tmp_path / "encoder"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """Knows no word of the items but their numbers: no kind is like itself."""
    texts = [f"{number}" for number in range(30)]
    return write_word_encoder(tmp_path / "bad", texts, dimensions=16, seed=3)


def test_a_worse_encoder_is_refused_with_status_2_and_the_figures(
    shop: list[object], good: Path, bad: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    result = run(*shop, "--baseline", good, "--candidate", bad, "--json", path)
    assert result.exit_code == gating.REFUSED == 2
    assert "gate: refused: " in result.output
    assert "@10 fell from 0." in result.output
    told = json.loads(path.read_text())
    assert told["passed"] is False
    assert told["verdict"] in result.output


def test_the_same_encoder_passes_with_status_0(shop: list[object], good: Path) -> None:
    result = run(*shop, "--baseline", good, "--candidate", good, "--max-loss", "0")
    assert result.exit_code == 0
    assert "gate: passed: " in result.output


def test_losses_within_the_budgets_pass(shop: list[object], good: Path, bad: Path) -> None:
    budgets = [f"--max-{name}" for name in ("loss", "cohort-loss", "robustness-loss")]
    allowed = [part for name in budgets for part in (name, "99%")]
    assert run(*shop, "--baseline", good, "--candidate", bad, *allowed).exit_code == 0


def test_a_setting_of_the_candidate_alone_is_judged_too(shop: list[object], good: Path) -> None:
    both = ("--baseline", good, "--candidate", good)
    deaf = ("slow_weight=0", "fast_weight=0")
    refused = run(*shop, *both, *(part for one in deaf for part in ("--candidate-set", one)))
    assert refused.exit_code == 2
    assert run(*shop, *both, *(part for one in deaf for part in ("--set", one))).exit_code == 0


def test_what_one_gate_froze_the_next_one_asks(
    shop: list[object], good: Path, bad: Path, tmp_path: Path
) -> None:
    path = tmp_path / "probes.parquet"
    both = ("--baseline", good, "--candidate", good)
    assert "Probes of 2020-09" in run(*shop, *both, "--freeze-probes", path).output
    both = ("--baseline", good, "--candidate", bad)
    out = tmp_path / "out.json"
    run(*shop, *both, "--probes", path, "--json", out)
    found = [one for one in json.loads(out.read_text())["findings"] if one["gate"] == "probes"]
    assert [one["outcome"] for one in found] == ["refused"]


def test_a_servers_store_is_judged_by_as_its_files_would_be(
    shop: list[object], good: Path, bad: Path, tmp_path: Path
) -> None:
    tables = [open_table(Path(str(path)), None) for path in (shop[1], shop[3])]
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 28)
    world = World(tmp_path / "store" / "catalog", store=store)
    world.catalog.put(read_items(tables[0], ItemColumns(), LeftOut()))
    for event in read_events(tables[1], EventColumns(), LeftOut()):
        world.feed(event)
    for table in tables:
        table.close()
    store.close()
    both = ("--baseline", good, "--candidate", bad, "--relevant", "rating>=4")
    told = []
    for source in (shop[:4], ["--store", f"lmdb:{tmp_path / 'store'}"]):
        out = tmp_path / "out.json"
        run(*source, *shop[4:], *both, "--json", out)
        told.append(json.loads(out.read_text()))
    assert told[0] == told[1]
    app = typer.Typer(add_completion=False)
    app.command()(evaluate)
    options = [
        "--store",
        f"lmdb:{tmp_path / 'store'}",
        "--encoder",
        str(good),
        "--candidates",
        "all",
    ]
    output = CliRunner().invoke(app, options).output
    assert "30 items, 400 events of 12 users" in output


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--max-loss", "little"), "--max-loss: got 'little', expected a share"),
        (("--max-loss", "100%"), "overall: got 1.0, expected 0 to below 1"),
        (("--validation-fraction", "0"), "validation_fraction: got 0.0"),
        (("--attribute", "colour"), "attribute: got 'colour', which no item has"),
        (("--candidate-set", "rigde=1"), "rigde: unknown setting"),
        (("--json", "/nowhere/out.json"), "--json: /nowhere/out.json can't be written"),
        (("--freeze-probes", "/nowhere/p"), "--freeze-probes: /nowhere/p can't be written"),
        (("--store", "lmdb:/nowhere"), "--store: expected neither --items"),
        (("--min-rankings", "5000"), "validation: got "),
    ],
)
def test_a_wrong_option_is_one_plain_message(
    shop: list[object], good: Path, wrong: tuple[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        run(*shop, "--baseline", good, "--candidate", good, *wrong)
    assert message in str(error.value)


def test_a_store_that_is_not_there_is_not_made(good: Path, tmp_path: Path) -> None:
    place = tmp_path / "none"
    with pytest.raises(ConfigError, match="--store: there is none in"):
        run("--store", f"lmdb:{place}", "--baseline", good, "--candidate", good)
    assert not place.exists()


def test_an_interrupt_leaves_no_file(
    shop: list[object], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gating, "read_log", interrupt)
    both = ("--baseline", good, "--candidate", good)
    result = invoke(*shop, *both, "--json", tmp_path / "out.json")
    assert result.exit_code == 130
    assert not (tmp_path / "out.json").exists()
