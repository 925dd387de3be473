"""Finds the command lines of `penchant` in what a command printed."""

from __future__ import annotations

import re
import shlex

_QUOTED = re.compile(r"`penchant ([^`]+)`")
_ON_ITS_OWN = re.compile(r"^ *penchant (.+)$", re.MULTILINE)


def commands_in(output: str) -> list[list[str]]:
    """The arguments of each command line: in backticks, or on a line of its own.

    What a command does stands behind it, after two spaces or more.
    """
    found = [match[1] for match in _QUOTED.finditer(output)]
    for match in _ON_ITS_OWN.finditer(output):
        found.append(_without_purpose(match[1]))
    return [shlex.split(command) for command in dict.fromkeys(found)]


def _without_purpose(line: str) -> str:
    """The line up to the first two spaces that no quotes enclose."""
    for gap in re.finditer("  ", line):
        before = line[: gap.start()]
        try:
            shlex.split(before)
        except ValueError:  # A quote is open: the spaces are part of a word.
            continue
        return before
    return line
