"""`penchant home-data` writes what the SDK ships and what `penchant finetune` reads."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from penchant.cli.home_data import write
from penchant.domain.errors import ConfigError
from penchant.training.home.sentence_templates import LANGUAGES
from penchant_sdk.home._nearest import Exemplar, exemplars


def test_the_known_sentences_that_the_sdk_ships_are_what_the_command_writes(tmp_path: Path) -> None:
    write(tmp_path, LANGUAGES)
    for language in LANGUAGES:
        lines = (tmp_path / f"exemplars-{language}.jsonl").read_text(encoding="utf-8")
        written = tuple(Exemplar(**json.loads(line)) for line in lines.splitlines())
        assert written == exemplars(language)


def test_every_event_names_an_item_and_times_never_fall(tmp_path: Path) -> None:
    write(tmp_path, ["en"], per_template=2)
    with (tmp_path / "items.csv").open(encoding="utf-8") as file:
        items = {row["item_id"] for row in csv.DictReader(file)}
    with (tmp_path / "events.csv").open(encoding="utf-8") as file:
        events = list(csv.DictReader(file))
    assert {event["item_id"] for event in events} <= items
    times = [int(event["timestamp"]) for event in events]
    assert times == sorted(times)


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--language: got 'tlh'"):
        write(tmp_path, ["tlh"])
