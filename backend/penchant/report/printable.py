"""Texts that people read: control characters as escapes, whatever the data holds."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from typing import TextIO

_CONTROLS = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # invisible, or bidi
    "\ud800-\udfff"  # halves of surrogate pairs
)
_CONTROL = re.compile(f"[{_CONTROLS}]")
_CONTROL_BUT_NEWLINE = re.compile(f"(?!\n)[{_CONTROLS}]")


def printable(text: str) -> str:
    r"""A text with every control character as an escape, for the value of one field.

    >>> print(printable("a\x1b[31mb\nc\u202e"))
    a\x1b[31mb\nc\u202e
    """
    return _CONTROL.sub(_escaped, text)


def printable_lines(text: str) -> str:
    r"""A text of several lines with every other control character as an escape.

    Lines after the first are indented, so that none passes for the beginning of a message.
    """
    return "\n  ".join(printable(line) for line in text.split("\n"))


def without_controls(text: str) -> str:
    """A text with every control character as an escape, but for line breaks."""
    return _CONTROL_BUT_NEWLINE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


class PrintableFormatter(logging.Formatter):
    """Formats log records without control characters; a record's further lines are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text that a person can read safely."""
        return printable_lines(super().format(record))


def escape_what_cannot_be_encoded(streams: Iterable[TextIO] | None = None) -> None:
    r"""Makes streams print `\xe9` where their encoding has no é, instead of failing.

    Args:
        streams: streams to change; None: standard output and standard error.
    """
    for stream in (sys.stdout, sys.stderr) if streams is None else streams:
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
