"""Every command line in the docs names a command and options that it has."""

from __future__ import annotations

import importlib.util
import itertools
import re
from functools import cache
from pathlib import Path

import pytest
from generate_reference import commands, commands_page, help_of

from penchant.cli.main import COMMANDS
from penchant.config import parse
from penchant.domain.errors import ConfigError
from tests.support.handwritten import PAGES, ROOT, inline, name_of, shell_lines

OPTIONS = re.compile(r"[ *]*(?:[A-Z][A-Z_-]* +)?((?:--?[a-zA-Z][\w-]*[ ,/|]*)+)")
"""The options at the start of a line of a help text."""


@cache
def options_of(*words: str) -> frozenset[str]:
    """The options that a command's help lists."""
    found = (OPTIONS.match(line) for line in help_of(*words, width=200).splitlines())
    return frozenset(name for match in found if match for name in re.split(r"[ ,/|]+", match[1]))


@cache
def known() -> frozenset[tuple[str, ...]]:
    return frozenset(commands())


def command_lines(page: Path) -> list[list[str]]:
    lines = [*shell_lines(page), *inline(page, "penchant")]
    return [words[1:] for words in lines if words[:1] == ["penchant"] and len(words) > 1]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_in_the_docs_are_there(page: Path) -> None:
    for words in command_lines(page):
        if words[0].startswith("-"):
            continue
        assert words[0] in COMMANDS, words
        command = tuple(words[:2]) if tuple(words[:2]) in known() else tuple(words[:1])
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        any_has = {"--help", "--config", "--log-format"}
        unknown = given - options_of(*command) - any_has
        assert not unknown, f"{page.name}: penchant {' '.join(words)}: {unknown}"


def test_the_check_of_options_would_find_a_wrong_one() -> None:
    assert {"--store", "--set", "--rank-instances"} <= options_of("serve")
    assert "--text-template" in options_of("import", "items")
    assert {"-k", "--explain"} <= options_of("rank")
    assert "--stores" not in options_of("serve")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_in_the_docs_are_settings_with_values_that_fit(page: Path) -> None:
    for words in command_lines(page):
        for option, value in itertools.pairwise(words):
            if option in ("--set", "--candidate-set", "--weight") and re.match(
                r"[a-z_]+=\w", value
            ):
                name, _, text = value.partition("=")
                try:
                    parse({"store": "memory:", "encoder": "/e", name: text})
                except ConfigError as error:
                    pytest.fail(f"{page.name}: {value}: {error}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_in_the_docs_are_targets_of_the_makefile(page: Path) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    lines = [*shell_lines(page), *inline(page, "make")]
    named = {words[1] for words in lines if words[0] == "make" and len(words) > 1}
    assert named <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_programs_in_the_docs_are_there(page: Path) -> None:
    for words in [*shell_lines(page), *inline(page, "python")]:
        if words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]) is not None, words
        elif words[0] == "python":
            assert (ROOT / words[1]).is_file(), words


def test_every_command_is_documented_and_every_documented_one_exists() -> None:
    documented = re.findall(r"^##+ penchant (.+?) \{", commands_page(), re.MULTILINE)
    assert documented == [" ".join(words) for words in commands()]
    assert {name.split()[0] for name in documented} == set(COMMANDS)
    assert {"import items", "import events"} <= set(documented)
