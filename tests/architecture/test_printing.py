"""All that people read goes through one console, which keeps control characters from them."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ONE_CONSOLE = "terminal.py"
PLAIN = {
    "entry.py": "without the extra there is no rich; the text holds no data",
    "main.py": "errors, escaped by printable_lines",
    "loop.py": "lines of a log, escaped, and commands quoted for a shell",
    "pseudonyms.py": "a key in base64, of its own making",
    "rank.py": "JSON in ASCII",
    "releases.py": "JSON in ASCII",
    "tied_program.py": "the system's word for an error, beside Triton's own lines",
    "user.py": "JSON in ASCII, and one fixed word",
}
"""Files that print by themselves, each with what."""


@cache
def calls(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]


def sources() -> list[Path]:
    return [
        path
        for folder in ("backend/penchant", "demos")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def test_only_the_terminal_is_a_console() -> None:
    found = [path.name for path in sources() if "Console" in calls(path)]
    assert found == []
    text = "rich.console import Console"
    holders = [path.name for path in sources() if text in path.read_text(encoding="utf-8")]
    assert holders == [ONE_CONSOLE]


def test_what_prints_without_it_is_known_and_escaped() -> None:
    printing = {path.name for path in sources() if "print" in calls(path)}
    assert printing == set(PLAIN)
