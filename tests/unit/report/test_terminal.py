"""Nothing in the data moves a cursor, passes for markup, or ends a command."""

from __future__ import annotations

import io
import logging
import os
import re
from unittest import mock

import pytest
from rich.table import Table
from rich.text import Text

from penchant.report.printable import (
    PrintableFormatter,
    escape_what_cannot_be_encoded,
    printable,
    printable_lines,
)
from penchant.report.terminal import Terminal

HOSTILE = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *map(chr, [0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF]),
    "\ud800",
]
"""C0, DEL, C1, line separators, bidi controls, a lone surrogate."""

MARKUP = "[red]alarm[/red] [link=http://x]:smile:[/link]"
STYLES = re.compile(r"\x1b\[[0-9;]*m")
LAYOUT = frozenset("\n")


def shown(*things: object) -> str:
    """The output of a colour terminal, without the styles that the terminal itself adds."""
    file = io.StringIO()
    with mock.patch.dict(os.environ, {"FORCE_COLOR": "1"}):
        console = Terminal(file=file, width=200)
    for thing in things:
        console.print(thing)
    return STYLES.sub("", file.getvalue())


def controls_in(text: str) -> set[str]:
    return {character for character in text if character in HOSTILE} - LAYOUT


@pytest.mark.parametrize("character", HOSTILE, ids=ascii)
def test_no_control_character_reaches_the_terminal_however_it_is_printed(character: str) -> None:
    hostile = f"a{character}b"
    table = Table(hostile, title=hostile, caption=Text(hostile))
    table.add_row(hostile)
    table.add_row(Text(hostile, "bold"))
    text = shown(hostile, Text(hostile), table)
    assert not controls_in(text)


@pytest.mark.parametrize("character", HOSTILE, ids=ascii)
def test_a_printable_value_is_one_line_of_characters_that_show(character: str) -> None:
    text = printable(f"a{character}b")
    assert text.isprintable()
    assert text.startswith("a\\")
    assert not controls_in(printable_lines(f"a{character}b"))


def test_a_second_line_never_passes_for_a_message_of_its_own() -> None:
    assert printable_lines("a\npenchant: all is well") == "a\n  penchant: all is well"


def test_markup_and_names_of_emoji_in_the_data_are_shown_as_they_are() -> None:
    table = Table(MARKUP, title=MARKUP)
    table.add_row(MARKUP)
    assert shown(MARKUP, table).count("[red]alarm[/red] [link=http://x]:smile:[/link]") == 4


def test_ordinary_text_of_any_language_is_left_alone() -> None:
    text = "naïve 日本語 עברית 🎬 👩‍🚀"
    assert printable(text) == text
    assert text in shown(text)


def test_what_an_encoding_lacks_is_escaped_instead_of_failing() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    escape_what_cannot_be_encoded([stream])
    stream.write("Amélie \ud800")
    stream.flush()
    assert raw.getvalue() == b"Am\\xe9lie \\ud800"


@pytest.mark.parametrize("character", HOSTILE, ids=ascii)
def test_a_log_line_holds_no_control_character_and_no_line_of_its_own(character: str) -> None:
    record = logging.LogRecord(
        "penchant", logging.ERROR, "", 0, "user %s", (f"a{character}b",), None
    )
    text = PrintableFormatter("penchant %(levelname)s %(message)s").format(record)
    assert not controls_in(text)
    assert all(line.startswith(("penchant ERROR", "  ")) for line in text.split("\n"))
