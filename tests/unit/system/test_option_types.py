"""Option types: shares, KEY=VALUE pairs, flags, and how a command's help shows them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated

import pytest
from cyclopts import App, Parameter
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from penchant.domain.errors import ConfigError
from penchant.system.option_types import (
    FLAT,
    Flag,
    Pairs,
    Repeated,
    Share,
    pairs_of,
    parse_share,
)

KEYS = st.text("abc_.", min_size=1, max_size=5)
VALUES = st.text("abc= 1,", max_size=8)


@dataclass(frozen=True, slots=True)
class Options:
    loss: Share = 0.025
    """Largest loss."""
    quiet: Flag = False
    """Print nothing."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting."""
    user: Repeated = ()
    """A user."""


def command(*, options: Annotated[Options, FLAT] = Options()) -> Options:
    """Does something."""
    return options


APP = App(default_command=command, result_action="return_value")


def parsed(*arguments: str) -> Options:
    found = APP(arguments)
    assert isinstance(found, Options)
    return found


def help_text() -> str:
    console = Console(file=io.StringIO(), width=100)
    APP.help_print([], console=console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@given(st.floats(0, 1))
def test_a_share_reads_alike_as_a_fraction_and_as_a_percentage(share: float) -> None:
    assert parse_share("--loss", str(share)) == share
    assert parse_share("--loss", f" {share * 100}% ") == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "%", "much", "1%%", "1 percent"])
def test_a_share_that_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^--loss: got .*, expected a share such as 1% or 0.01$"):
        parse_share("--loss", text)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_pairs_are_read_back_as_they_were_written(pairs: dict[str, str]) -> None:
    entries = [f"{key}={value}" for key, value in pairs.items()]
    assert pairs_of("--set", entries) == pairs


@given(KEYS, VALUES, VALUES)
def test_the_last_value_of_a_key_wins(key: str, first: str, last: str) -> None:
    assert pairs_of("--set", [f"{key}={first}", f" {key} ={last}"]) == {key: last}


@pytest.mark.parametrize("entry", ["", "no equals sign", "=value", "  =value"])
def test_an_entry_without_key_or_equals_sign_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match=r"^--set: got .*, expected KEY=VALUE$"):
        pairs_of("--set", [entry])


def test_a_command_takes_the_fields_as_its_own_options() -> None:
    assert parsed() == Options()
    given = parsed("--loss", "1%", "--quiet", "--set", "a=1", "--set", "b=2", "--user", "ann")
    assert given == Options(0.01, True, ("a=1", "b=2"), ("ann",))


def test_help_shows_a_share_as_percent_and_no_default_of_a_flag() -> None:
    lines = {line.split()[1]: line for line in help_text().splitlines() if "--" in line}
    assert "[default: 2.5%]" in lines["--loss"]
    assert "default" not in lines["--quiet"]
    assert "KEY=VALUE" in lines["--set"] or "KEY=VALUE" in help_text()
