"""A calibration from a log or a file, judged on later impressions, and read by the SDK."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from penchant.calibration.calibrate import FORMAT, calibrate_shown
from penchant.calibration.reliability import reliability
from penchant.calibration.shown_ads import ShownAds, from_impressions
from penchant.domain.types import Event, Exposure
from penchant.logs.impressions import AnsweredImpression
from penchant_sdk import InvalidRequest
from penchant_sdk.ads import Calibration
from penchant_sdk.ads.calibration import FORMAT as READ
from tests.support import command
from tests.support.open_bandit import sample_file
from tests.unit.calibration.test_click_model import simulated


def run(*arguments: object) -> str:
    done = command.run(["calibrate", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def refusal(*arguments: object) -> str:
    done = command.run(["calibrate", *arguments])
    assert done.exit_code == 1, done.output
    return done.stderr


def write(shown: ShownAds, path: Path) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["score", "position", "reward", "occurred_at"])
        rows = zip(shown.score, shown.position, shown.clicked, strict=True)
        table.writerows([*row, number] for number, row in enumerate(rows))


def test_knowing_the_places_is_what_brings_the_error_down_to_chance() -> None:
    found = calibrate_shown(simulated(30_000, 1)).held_out
    assert found["with places"].ece < 1.5 * found["with places"].ece_by_chance
    assert found["without places"].ece > 2 * found["with places"].ece
    assert found["score"].ece > 5 * found["with places"].ece
    losses = [found[name].log_loss for name in ("with places", "without places", "score")]
    assert losses == sorted(losses)


def test_true_chances_have_no_more_error_than_chance_leaves() -> None:
    random = np.random.default_rng(1)
    chance = random.uniform(0.01, 0.2, 20_000)
    position = random.integers(1, 4, 20_000)
    clicked = (random.random(20_000) < chance).astype(np.float64)
    found = reliability(chance, position, clicked)
    assert found.ece == pytest.approx(found.ece_by_chance, rel=0.5)
    assert len(found.bins) == 30
    held = [one.low <= one.stated <= one.high for one in found.bins]
    assert sum(held) >= 26


def test_the_sdk_states_the_same_chances_as_were_fitted(tmp_path: Path) -> None:
    shown = simulated(8000, 2)
    log, output, plot = tmp_path / "log.csv", tmp_path / "out.json", tmp_path / "plot.png"
    write(shown, log)
    said = run("--impressions", log, "--output", output, "--plot", plot)
    assert "examination of place 2" in said
    assert plot.read_bytes()[:4] == b"\x89PNG"
    again = run("--impressions", log, "--output", tmp_path / "b.json", "--current", output)
    assert "in use until now" in again
    loaded, fitted = Calibration.load(output), calibrate_shown(shown).model
    assert loaded.impressions == 8000
    ours = [
        loaded.click_probability(score, place)
        for score, place in zip(shown.score.tolist(), shown.position.tolist(), strict=True)
    ]
    assert fitted.probability(shown.score, shown.position) == pytest.approx(np.array(ours))
    assert READ == FORMAT


def test_a_file_of_something_else_is_no_calibration(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"format": "other", "slope": 1}))
    with pytest.raises(InvalidRequest, match="expected a file of `penchant calibrate`"):
        Calibration.load(path)
    log = tmp_path / "log.csv"
    write(simulated(500, 3), log)
    given = ("--impressions", log, "--output", tmp_path / "a.json", "--current", path)
    assert "expected a file of `penchant calibrate`" in refusal(*given)
    said = refusal("--output", tmp_path / "a.json")
    assert "name one of --store and --impressions" in said


def test_impressions_of_a_log_are_taken_with_their_clicks_in_time_order() -> None:
    def event(number: int, signal: str, at_us: int, exposure: Exposure | None = None) -> Event:
        return Event(
            f"{signal}-{number}", "ann", "ad", signal, None, at_us, f"r{number}", (), exposure
        )

    first = event(1, "impression", 90, Exposure(position=1, score=0.5))
    second = event(2, "impression", 10, Exposure(position=3, score=0.1))
    untold = event(3, "impression", 20)
    shown = from_impressions(
        [
            AnsweredImpression(first, (event(1, "click", 5),)),
            AnsweredImpression(second, (event(2, "hide", 30),)),
            AnsweredImpression(untold, ()),
        ]
    )
    assert (shown.position.tolist(), shown.clicked.tolist()) == ([3, 1], [0.0, 1.0])
    assert shown.left_out == Counter({"impressions that don't say at which place": 1})


def test_the_open_bandit_sample_is_said_to_support_little(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    said = run(
        *("--impressions", sample_file("random", "men"), "--output", output),
        *("--score-column", "propensity_score", "--click-column", "click"),
        *("--time-column", "timestamp"),
    )
    assert "46 clicks are few" in said
    assert "the score does not tell clicks apart" in said
    found = json.loads(output.read_text())
    assert len(found["examination"]) == 3
    for low, high in found["intervals_95"]["examination"][1:]:
        assert high / low > 2
