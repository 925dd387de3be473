"""How a job reports its progress: a callback, so that the job itself never prints."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with the name of a step and the share of it that is done, 0 to 1."""


def no_progress(step: str, done: float) -> None:
    """Reports to nobody."""
