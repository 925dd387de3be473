"""The page on scaling shows what its data files say, and every picture that it names is there."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.scaling_page import DOCS, PAGE, filled

TEXT = PAGE.read_text(encoding="utf-8")


def test_its_tables_are_those_of_the_data_files() -> None:
    assert filled(TEXT) == TEXT, "run: python -m benchmarks.scaling_page"


def test_a_changed_figure_would_be_found() -> None:
    first = re.search(r"\d+\.\d\d ×", TEXT)
    assert first is not None
    assert filled(TEXT.replace(first[0], "77.77 ×", 1)) == TEXT


def test_its_pictures_are_there() -> None:
    names = re.findall(r"\]\((images/[\w.]+)\)", TEXT)
    assert len(names) >= 3
    for name in names:
        assert (DOCS / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["costs", "cost_check", "fleet", "prediction", "valkey_served"])
def test_every_data_file_says_what_makes_it(name: str) -> None:
    command = json.loads((DOCS / "data" / f"{name}.json").read_text())["command"]
    assert command.startswith("python -m benchmarks.")
    assert command in TEXT
