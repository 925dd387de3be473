"""Long work in slices: generators that pause, and the size of a slice that takes a known time."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

_Result = TypeVar("_Result")

SLICE_S = 0.02
"""Seconds that a slice should hold its process."""
_NEWEST_SHARE = 0.3


def whole(slices: Generator[None, None, _Result]) -> _Result:
    """The result of sliced work, done without a pause.

    >>> def work() -> Generator[None, None, str]:
    ...     yield
    ...     return "done"
    >>> whole(work())
    'done'
    """
    while True:
        try:
            next(slices)
        except StopIteration as end:
            result: _Result = end.value
            return result


class SliceSize:
    """The units of work that fit into `SLICE_S`, learnt from the slices so far."""

    def __init__(self, first: float, least: float, most: float) -> None:
        """Starts with a guess.

        Args:
            first: units of the first slice.
            least: units of the smallest slice.
            most: units of the largest slice.
        """
        self.units = first
        self._least, self._most = least, most

    @contextmanager
    def timed(self, units: float) -> Iterator[None]:
        """Measures one slice of some units, more than 0."""
        started = time.perf_counter()
        yield
        fitting = SLICE_S * units / max(time.perf_counter() - started, 1e-6)
        # No more than twice as many at once: a slice that found all its work done says little.
        fitting = min(fitting, 2 * self.units)
        size = self.units + _NEWEST_SHARE * (fitting - self.units)
        self.units = min(max(size, self._least), self._most)
