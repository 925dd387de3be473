"""When the steps of the work at hand began and ended, for traces; nothing is kept without one.

A step is noted by the thread that works. Without a recorder a step costs 0.2 microseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Step(NamedTuple):
    """One step, in nanoseconds since 1970."""

    name: str
    began_ns: int
    ended_ns: int


class _Recorder(threading.local):
    steps: list[Step] | None = None


_RECORDER = _Recorder()


@contextmanager
def recorded(steps: list[Step]) -> Iterator[None]:
    """Notes the steps of this thread during the body.

    >>> steps = []
    >>> with recorded(steps):
    ...     step_ended("read", step_began())
    >>> step_ended("fold", step_began())
    >>> [step.name for step in steps]
    ['read']
    """
    before, _RECORDER.steps = _RECORDER.steps, steps
    try:
        yield
    finally:
        _RECORDER.steps = before


def step_began() -> int:
    """The time, if anybody wants to know; else 0."""
    return 0 if _RECORDER.steps is None else time.time_ns()


def step_ended(name: str, began_ns: int) -> None:
    """Notes a step that began at what `step_began` said."""
    if began_ns and _RECORDER.steps is not None:
        _RECORDER.steps.append(Step(name, began_ns, time.time_ns()))
