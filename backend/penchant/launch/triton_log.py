"""The log of Triton and of the models: a new one at each start, and the latest before it."""

from __future__ import annotations

from pathlib import Path

NAME = "triton.log"

KEPT = 5
"""Logs of earlier starts, from `triton.log.1`, the latest, on."""


def rotate(log: Path) -> None:
    """Moves a log out of the way of a new one, and the earlier ones along; drops the last.

    Raises:
        OSError: the directory cannot be written.
    """
    for number in range(KEPT, 0, -1):
        source = log if number == 1 else log.with_name(f"{log.name}.{number - 1}")
        if source.exists():
            source.replace(log.with_name(f"{log.name}.{number}"))
