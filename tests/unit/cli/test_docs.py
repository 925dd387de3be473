"""Every command line in the docs names a command, and options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from penchant.cli.main import COMMANDS
from tests.support.command import run

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def command_lines(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`(penchant [a-z][^`\n]*)`", text)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    split = [shlex.split(line.replace("…", ""), comments=True) for line in [*lines, *inline]]
    return [words[1:] for words in split if words[:1] == ["penchant"] and len(words) > 1]


def options_of(words: list[str]) -> set[str]:
    """The options that a command, or a command of a group, shows in its help."""
    inner = words[1:2] if len(words) > 1 and words[0] == "import" else []
    text = run([words[0], *inner, "--help"], columns=400).output
    return set(re.findall(r"--[a-z][a-z0-9-]*", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_in_the_docs_are_there(page: Path) -> None:
    for words in command_lines(page):
        name = words[0]
        if name.startswith("-") or name == "X":
            continue
        assert name in COMMANDS, words
        known = options_of(words) | {"--help"}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        unknown = {option for option in given if option.partition("/")[0] not in known}
        assert not unknown, f"{page.name}: penchant {' '.join(words)}: {unknown}"
