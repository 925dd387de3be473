"""The hand-written pages: their Python imports resolve, and the files that they name are there."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

from penchant.cli.settings_file import FILE
from tests.support.handwritten import PAGES, ROOT, blocks, name_of

FILES = re.compile(r"`((?:backend|benchmarks|docs|examples|loadtest|proto|sdk|tests)/[\w./*-]+)`")
MODULES = re.compile(r"`(penchant(?:_sdk|_proto)?\.[\w.]+)`")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_imports_of_its_python_resolve(page: Path) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{node.module}.{alias.name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_files_that_it_names_are_there(page: Path) -> None:
    for name in FILES.findall(page.read_text(encoding="utf-8")):
        assert list(ROOT.glob(name)), f"{page.name} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_modules_and_names_that_it_names_are_there(page: Path) -> None:
    for name in MODULES.findall(page.read_text(encoding="utf-8")):
        # The contract's package is not Python's, and the settings file no module.
        if name.startswith("penchant.v1") or name == FILE:
            continue
        assert exists(name), f"{page.name} names {name}"


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or an attribute of one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 80


def test_the_glossary_of_contributing_has_a_meaning_and_a_place_for_each_term() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    _, _, section = text.partition("\n## Glossary\n")
    rows = re.findall(r"^\| (?!term|-)(.*) \|$", section.partition("\n## ")[0], re.MULTILINE)
    cells = [[cell.strip() for cell in row.split(" | ")] for row in rows]
    assert len(cells) > 30
    assert all(len(row) == 3 and all(row) for row in cells)
    terms = [row[0].lower() for row in cells]
    assert terms == sorted(terms)
