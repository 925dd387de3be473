"""Corrupt rows: left out where many are read, so that one costs no others; else named."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from penchant.domain.errors import StateCorrupt
from penchant.store.keys import decode

log = logging.getLogger("penchant")

_Value = TypeVar("_Value")


def readable(
    rows: Iterable[tuple[bytes, bytes]], decode_value: Callable[[bytes], _Value], remedy: str
) -> Iterator[tuple[list[str | int], _Value]]:
    """Decodes rows of one kind, and leaves out the corrupt ones with a line in the log.

    Args:
        rows: keys and values, as a scan gives them.
        decode_value: decodes a value.
        remedy: the end of the line in the log: what the reader of it should do.

    Yields:
        The parts of a key, and its value.
    """
    for key, value in rows:
        parts = decode(key)[1]
        try:
            decoded = decode_value(value)
        except StateCorrupt as error:
            say_corrupt(error, parts, remedy)
            continue
        yield parts, decoded


def say_corrupt(error: StateCorrupt, parts: list[str | int], remedy: str) -> None:
    """Logs that a row was left out, and what to do."""
    names = ", ".join(map(repr, parts))
    log.error("StateCorrupt: %s of %s; it is left out: %s", error, names, remedy)


def named(error: StateCorrupt, part: str | int, remedy: str) -> StateCorrupt:
    """The error with the part of the key that names its row, and what to do."""
    return StateCorrupt(f"{error} of {part!r}: {remedy}")
