"""`penchant home-data`: sentences for the SDK's client, and a log for `penchant finetune`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from penchant.training.home.sentence_templates import LANGUAGES
from penchant_sdk.home._nearest import Exemplar, exemplars
from tests.support.command import run


def write(output: Path, *more: object) -> None:
    result = run(["home-data", "--output", output, *more])
    assert result.exit_code == 0, result.output
    assert "Next:\n  penchant finetune" in result.output


def test_the_sdk_ships_the_exemplars_that_the_command_writes(tmp_path: Path) -> None:
    write(tmp_path)
    for language in LANGUAGES:
        lines = (tmp_path / f"exemplars-{language}.jsonl").read_text(encoding="utf-8")
        written = tuple(Exemplar(**json.loads(line)) for line in lines.splitlines())
        assert written == exemplars(language)


def test_every_event_names_an_item_and_times_never_fall(tmp_path: Path) -> None:
    write(tmp_path, "--language", "en", "--per-template", 2)
    with (tmp_path / "items.csv").open(encoding="utf-8") as file:
        items = {row["item_id"] for row in csv.DictReader(file)}
    with (tmp_path / "events.csv").open(encoding="utf-8") as file:
        events = list(csv.DictReader(file))
    assert {event["item_id"] for event in events} <= items
    times = [int(event["timestamp"]) for event in events]
    assert times == sorted(times)


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    result = run(["home-data", "--output", tmp_path, "--language", "tlh"])
    assert result.exit_code == 1
    assert "language: got 'tlh', expected en or zh-CN" in result.stderr
