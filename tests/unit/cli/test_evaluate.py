"""`penchant evaluate` on a small log in files, up to its numbers and its HTML page."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from penchant.evaluation import replay_log
from tests.support.command import Ran
from tests.support.command import run as run_command
from tests.support.shop_log import ITEMS, write_csv, write_shop


def run(*arguments: object) -> Ran:
    return run_command(["evaluate", *arguments], columns=80)


@pytest.fixture
def shop(tmp_path: Path) -> list[object]:
    """Options that name the files of a small log."""
    return write_shop(tmp_path)


def numbers_of(tmp_path: Path, *arguments: object) -> dict[str, Any]:
    path = tmp_path / "out.json"
    assert run(*arguments, "--json", path).exit_code == 0
    numbers: dict[str, Any] = json.loads(path.read_text())
    return numbers


def test_a_log_in_files_is_evaluated(shop: list[object], tmp_path: Path) -> None:
    path, html = tmp_path / "out.json", tmp_path / "out.html"
    result = run(*shop, "--relevant", "rating>=4", "--k", "1,5", "--json", path, "--report", html)
    assert result.exit_code == 0
    assert "30 items, 400 events of 12 users; a hit is rating>=4" in result.output
    assert "Try next" in result.output
    numbers = json.loads(path.read_text())
    (penchant,) = numbers["contenders"]
    assert numbers["facts"]["training_events"] == 120
    assert numbers["facts"]["rankings"] == penchant["overall"]["rankings"] > 60
    # Ten of thirty items are of the kind that the user likes; by chance the recall is 5 / 30.
    assert penchant["overall"]["quality"]["recall@5"]["low"] > 5 / 30
    text = html.read_text()
    assert text.count("data:image/png;base64,") == 3
    assert "rating&gt;=4" in text


def test_equal_seeds_give_equal_numbers(shop: list[object], tmp_path: Path) -> None:
    first, again, other = (
        numbers_of(tmp_path, *shop, "--seed", seed)["contenders"][0]["overall"]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first["quality"]["MRR"]["mean"] == other["quality"]["MRR"]["mean"]
    assert first["quality"]["MRR"]["low"] != other["quality"]["MRR"]["low"]


def test_a_refresh_changes_the_rankings(shop: list[object], tmp_path: Path) -> None:
    plain = numbers_of(tmp_path, *shop, "--no-refresh")["contenders"][0]["overall"]["quality"]
    refreshed = numbers_of(tmp_path, *shop, "--refresh-every", "50")
    quality = refreshed["contenders"][0]["overall"]["quality"]
    assert quality["MRR"]["mean"] != plain["MRR"]["mean"]
    # Well above 10 / 30, the recall by chance.
    assert quality["recall@10"]["low"] > 10 / 30


def test_settings_of_the_models_change_the_rankings(shop: list[object], tmp_path: Path) -> None:
    plain = numbers_of(tmp_path, *shop)
    without = numbers_of(tmp_path, *shop, "--set", "slow_weight=0", "--set", "fast_weight=0")
    means = [
        found["contenders"][0]["overall"]["quality"]["recall@10"]["mean"]
        for found in (plain, without)
    ]
    assert means[0] > means[1]


def test_a_baseline_ranks_for_the_same_targets(shop: list[object], tmp_path: Path) -> None:
    result = run(*shop, "--peers", "popularity", "--json", tmp_path / "out.json")
    assert "minus each" in result.output
    penchant, baseline = json.loads((tmp_path / "out.json").read_text())["contenders"]
    assert (penchant["name"], baseline["name"]) == ("Penchant", "popularity")
    assert penchant["overall"]["rankings"] == baseline["overall"]["rankings"]
    assert penchant["by_earlier"][1]["rankings"] == baseline["by_earlier"][1]["rankings"]


def test_columns_can_be_named_or_mapped(shop: list[object], tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "other.csv",
        ("who", "what", "when"),
        [(number % 5, number % ITEMS, 1000 * number) for number in range(100)],
    )
    shop[3] = path
    columns = ("--user-column", "who", "--map", "what=item", "--time-column", "when")
    output = run(*shop, *columns, "--signal", "like", "--time-unit", "ms").output
    assert "100 events of 5 users; a hit is reward>0" in output


def test_rows_that_are_left_out_are_counted(shop: list[object], tmp_path: Path) -> None:
    path = Path(str(shop[3]))
    path.write_text(path.read_text() + "7,999,5,1700000000\n")
    assert "Left out, events about unknown items: 1 (first: item '999')" in run(*shop).output


def without_candidates(shop: list[object]) -> list[object]:
    """The options without those that say what to rank."""
    at = shop.index("--candidates")
    return [*shop[:at], *shop[at + 2 :]]


def funnel(path: Path) -> Path:
    """A log of views, each of which is followed by a purchase of the same item."""
    return write_csv(
        path,
        ("user", "item", "event", "timestamp"),
        [
            (number % 8, number * 7 % ITEMS, kind, 1_600_000_000 + 100 * number + after)
            for number in range(260)
            for after, kind in enumerate(("view", "purchase"))
        ],
    )


def test_a_funnel_is_ranked_whole_without_an_option_and_it_is_said(
    shop: list[object], tmp_path: Path
) -> None:
    shop = without_candidates(shop)
    shop[3] = funnel(tmp_path / "funnel.csv")
    path, html = tmp_path / "out.json", tmp_path / "out.html"
    result = run(*shop, "--json", path, "--report", html)
    assert result.exit_code == 0, result.output
    words = " ".join(result.output.split())
    said = "100% of the hits are about an item that their user knew already; so users are ranked"
    assert f"{said} all items (--candidates all)." in words
    numbers = json.loads(path.read_text())
    assert numbers["facts"]["candidates"] == "all"
    assert numbers["facts"]["relevant_but_seen"] == 0
    assert said in html.read_text()


def test_a_log_without_repeats_gives_the_figures_of_unseen_items(
    shop: list[object], tmp_path: Path
) -> None:
    shop = without_candidates(shop)
    own = [(n % 12, (n % 12 + n // 12 * 5) % ITEMS, 5, 1_600_000_000 + n) for n in range(12 * 6)]
    shop[3] = write_csv(tmp_path / "once.csv", ("userId", "itemId", "rating", "timestamp"), own)
    told, asked = (
        numbers_of(tmp_path, *shop, *more)["contenders"][0]["overall"]["quality"]
        for more in ((), ("--candidates", "unseen"))
    )
    assert told == asked


def test_nothing_to_rank_for_is_said_before_anything_is_encoded(
    shop: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = without_candidates(shop)
    shop[3] = funnel(tmp_path / "funnel.csv")
    loaded = "penchant.evaluation.penchant.PenchantRecommender.load"
    monkeypatch.setattr(loaded, lambda *_: pytest.fail("it encodes"))
    result = run_command(["evaluate", *shop, "--candidates", "unseen"])
    assert result.exit_code == 1
    assert "--candidates all ranks for those too" in result.output


def test_much_that_is_left_out_is_said_first_and_last_with_what_to_do(
    shop: list[object], tmp_path: Path
) -> None:
    path, html = Path(str(shop[3])), tmp_path / "out.html"
    strange = "".join(f"7,{900 + n},5,1700000000\n" for n in range(100))
    path.write_text(path.read_text() + strange)
    lines = run(*shop, "--report", html).output.splitlines()
    text = " ".join(line.strip() for line in lines)
    alarm = "100 of the 500 events (20%) are LEFT OUT"
    assert text.count(alarm) == 2
    assert text.index(alarm) < text.index("Left out, events about unknown items")
    assert text.rindex(alarm) > text.index("Try next")
    assert "Give a file of items that holds them all, or none" in text
    assert html.read_text().count(alarm) == 2
    few = path.read_text().splitlines()[: 1 + 400 + 20]
    path.write_text("\n".join([*few, ""]))
    assert "LEFT OUT" not in run(*shop).output


def test_a_quote_that_is_not_closed_ends_the_evaluation_and_names_its_line(
    shop: list[object],
) -> None:
    path = Path(str(shop[3]))
    lines = path.read_text().splitlines()
    lines[4] = lines[4].replace(",", ',"', 1)
    path.write_text("\n".join(lines) + "\n")
    result = run_command(["evaluate", *shop])
    assert result.exit_code == 1
    assert f"{path.name}, line 5: the quote that opens here is not closed" in result.output


def test_milliseconds_are_not_taken_for_seconds(shop: list[object]) -> None:
    path = Path(str(shop[3]))
    heading, *rows = path.read_text().splitlines()
    cells = [row.split(",") for row in rows]
    late = [",".join([*row[:-1], str(1700000000000 + int(row[-1]))]) for row in cells]
    path.write_text("\n".join([heading, *late]) + "\n")
    result = run_command(["evaluate", *shop, "--time-unit", "s"])
    assert result.exit_code == 1
    assert "--time-unit ms makes it" in result.output
    told = run_command(["evaluate", *shop])
    assert told.exit_code == 0
    assert "timestamp are read as milliseconds since 1970" in told.output


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--relevant", "stars>4"), "relevant: got 'stars>4'"),
        (("--k", "ten"), "--k: got 'ten'"),
        (("--k", "0"), "--k: got '0'"),
        (("--train-fraction", "1"), "train_fraction: got 1.0"),
        (("--candidates", "new"), "candidates: got 'new'"),
        (("--set", "ridge"), "--set: got 'ridge'"),
        (("--set", "rigde=1"), "rigde: unknown setting"),
        (("--map", "a=b"), "--map: got 'a=b'"),
        (("--peers", "nobody"), "peers: got 'nobody'"),
        (("--dataset", "netflix"), "--dataset: got 'netflix'"),
        (("--dataset", "movielens"), "neither --items nor --events"),
        (("--encoder", "/nowhere"), "encoder: /nowhere is not a directory"),
        (("--json", "/nowhere/out.json"), "--json: /nowhere/out.json can't be written"),
    ],
)
def test_a_wrong_option_is_one_plain_message(
    shop: list[object], wrong: tuple[str, str], message: str
) -> None:
    result = run(*shop, *wrong)
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_missing_log_is_an_error(shop: list[object]) -> None:
    result = run(*shop[4:])
    assert result.exit_code == 1
    assert "name --events FILE, and --items FILE if there is one" in result.stderr


def test_events_alone_are_a_log(shop: list[object]) -> None:
    result = run(*shop[2:])
    assert result.exit_code == 0, result.stderr
    assert "30 items, 400 events of 12 users" in result.output
    assert "the catalog is made of the items that events name" in result.output
    assert "their ids stand in" in result.output


def test_a_report_without_matplotlib_is_refused_before_the_work(
    shop: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(replay_log, "read_log", None)
    result = run(*shop, "--report", tmp_path / "out.html")
    assert result.exit_code == 1
    assert "matplotlib.figure is missing" in result.stderr


def test_an_interrupt_leaves_no_file(
    shop: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(replay_log, "read_log", interrupt)
    before = sorted(tmp_path.iterdir())
    result = run(*shop, "--json", tmp_path / "out.json")
    assert result.exit_code == 130
    assert "Stopped" in result.output
    assert sorted(tmp_path.iterdir()) == before


def test_a_report_says_in_sentences_what_made_it(shop: list[object], tmp_path: Path) -> None:
    path, html = tmp_path / "out.json", tmp_path / "out.html"
    given = ["--set", "fast_weight=3", "--refresh", "--window", "7", "--refresh-every", "100"]
    assert run(*shop, *given, "--json", path, "--report", html).exit_code == 0
    origin = json.loads(path.read_text())["origin"]
    text = html.read_text()
    assert origin["settings"] == {"fast_weight": "3.0"}
    assert origin["refresh"] == {"window": 7, "text_weight": 1.0, "shrinkage": 5.0}
    assert len(origin["encoder_version"]) == len(origin["log_digest"]) == 16
    command = shlex.split(origin["command"])
    assert command[:2] == ["penchant", "evaluate"]
    assert command[command.index("--window") + 1] == "7"
    for part in (origin["encoder_version"], origin["log_digest"], "fast_weight 3.0", "window 7"):
        assert part in text
    assert "fitted before the first ranking, and again every 100 events, 2 times." in text
    assert "training_events" not in text
    assert "training events:" not in text


def test_the_command_of_a_report_makes_the_same_figures_again(
    shop: list[object], tmp_path: Path
) -> None:
    first = numbers_of(tmp_path, *shop, "--seed", "3")
    again = run_command(shlex.split(first["origin"]["command"])[1:])
    assert again.exit_code == 0
    second = json.loads((tmp_path / "out.json").read_text())
    assert first["contenders"][0]["overall"] == second["contenders"][0]["overall"]
