"""`penchant gate` on a small log: its verdict, its exit status and its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from penchant.cli.judging import REFUSED
from penchant.evaluation import replay_log
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events, read_items
from penchant.logs.refusals import LeftOut
from penchant.store.lmdb import LmdbStore
from tests.support.command import Ran
from tests.support.command import run as run_command
from tests.support.shop_log import write_shop
from tests.support.signal_logs import CART, shop_rows, write_shop_log
from tests.support.word_encoder import write_word_encoder
from tests.support.world import World

ENOUGH = ("--min-rankings", "20", "--min-users", "5", "--validation-fraction", "0.5")


def run(*arguments: object) -> Ran:
    return run_command(["gate", *arguments], columns=80)


@pytest.fixture
def shop(tmp_path: Path) -> list[object]:
    """Options that name the files of a small log and lower the data that a judgement needs."""
    items, events, candidates = "--items", "--events", "--candidates"
    named = dict(zip(*(iter(write_shop(tmp_path)),) * 2, strict=True))
    log = [items, named[items], events, named[events], candidates, named[candidates]]
    return [*log, *ENOUGH]


@pytest.fixture
def good(shop: list[object], tmp_path: Path) -> Path:
    return tmp_path / "encoder"


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """An encoder that knows the items' numbers alone, so that no kind is like itself."""
    texts = [f"{number}" for number in range(30)]
    return write_word_encoder(tmp_path / "bad", texts, dimensions=16, seed=3)


def test_a_worse_encoder_is_refused_with_status_2_and_the_figures(
    shop: list[object], good: Path, bad: Path, tmp_path: Path
) -> None:
    path = tmp_path / "out.json"
    result = run(*shop, "--no-refresh", "--baseline", good, "--candidate", bad, "--json", path)
    assert result.exit_code == REFUSED == 2
    assert "gate: refused: " in result.output
    verdict = json.loads(path.read_text())
    assert verdict["passed"] is False
    assert verdict["verdict"] in result.output


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

    def without_interest(option: str) -> int:
        settings = (option, "slow_weight=0", option, "fast_weight=0")
        return run(*shop, "--no-refresh", *both, *settings).exit_code

    assert without_interest("--candidate-set") == 2
    assert without_interest("--set") == 0


def test_probes_frozen_by_one_gate_are_judged_by_the_next(
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


def test_a_servers_store_gives_the_same_verdict_as_its_files(
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
    verdicts = []
    for source in (shop[:4], ["--store", f"lmdb:{tmp_path / 'store'}"]):
        out = tmp_path / "out.json"
        run(*source, *shop[4:], *both, "--json", out)
        found = json.loads(out.read_text())
        assert found.pop("made_by").startswith("penchant gate --baseline ")
        verdicts.append(found)
    assert verdicts[0] == verdicts[1]
    options = ["--store", f"lmdb:{tmp_path / 'store'}", "--encoder", good, "--candidates", "all"]
    assert "30 items, 400 events of 12 users" in run_command(["evaluate", *options]).output


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
    result = run(*shop, "--baseline", good, "--candidate", good, *wrong)
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_missing_store_is_an_error_and_is_not_created(good: Path, tmp_path: Path) -> None:
    place = tmp_path / "none"
    result = run("--store", f"lmdb:{place}", "--baseline", good, "--candidate", good)
    assert result.exit_code == 1
    assert "--store: there is none in" in result.stderr
    assert not place.exists()


def test_an_interrupt_leaves_no_file(
    shop: list[object], good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(replay_log, "read_log", interrupt)
    both = ("--baseline", good, "--candidate", good)
    result = run(*shop, *both, "--json", tmp_path / "out.json")
    assert result.exit_code == 130
    assert not (tmp_path / "out.json").exists()


def test_a_log_of_several_signals_is_judged_by_its_objective(tmp_path: Path) -> None:
    """The one that an evaluation ranks for; `--relevant` takes other hits."""
    log = write_shop_log(tmp_path, shop_rows((CART,), events=3000), 160)
    encoder = write_word_encoder(tmp_path / "words", ["item number"], dimensions=8, seed=1)
    sides = ("--no-refresh", "--baseline", encoder, "--candidate", encoder, *ENOUGH)
    result = run(*log, *sides)
    assert result.exit_code == 0, result.output
    assert "a hit is signal=purchase" in result.output
    assert "The objective is purchase" in " ".join(result.output.split())
    named = run(*log, *sides, "--relevant", "signal=view")
    assert "a hit is signal=view" in named.output
