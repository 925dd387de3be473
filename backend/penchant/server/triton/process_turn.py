"""Who computes in a process: one thread at a time, small calls before the slices of long ones."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

CALM_S = 0.005
"""Seconds without a small call after which long work no longer owes time to small calls."""

_SMALL = 0
"""Stands for small calls as a holder; no thread's number."""


class ProcessTurn:
    """A lock with two kinds of holders.

    A small call waits for one slice at most. While small calls never stop, slices get half of the
    time: after one of 20 ms, the next waits until small calls have had 20 ms, and then it is due.
    """

    def __init__(self) -> None:
        # The mutex alone on the way of small calls: a condition takes three times as long.
        self._mutex = threading.Lock()
        self._changed = threading.Condition(self._mutex)
        self._small = _SmallTurn(self)
        self._holder: int | None = None
        self._since = 0.0
        self._small_waiting = 0
        self._owed_s = 0.0
        """Seconds that long work owes to small calls."""
        self._slices_waiting = 0
        self._slice_due = False
        """Whether small calls have had their time, and a slice waits."""
        self._last_small = 0.0

    def small(self) -> _SmallTurn:
        """The turn of small calls, as a context."""
        return self._small

    @contextmanager
    def slice(self) -> Iterator[None]:
        """The turn of one slice of long work; held briefly, since small calls wait meanwhile."""
        self._take_slice()
        try:
            yield
        finally:
            self._end_slice()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Lets others compute while this thread, if it holds a slice's turn, waits elsewhere."""
        mine = self._holder == threading.get_ident()
        if mine:
            self._end_slice()
        try:
            yield
        finally:
            if mine:
                self._take_slice()

    def take_small(self) -> None:
        """Waits for the turn of small calls."""
        with self._mutex:
            if self._holder is not None or self._slice_due:
                self._small_waiting += 1
                while self._holder is not None or self._slice_due:
                    self._changed.wait()
                self._small_waiting -= 1
            self._holder = _SMALL
            self._since = time.monotonic()

    def end_small(self) -> None:
        """Ends the turn of small calls."""
        with self._mutex:
            self._last_small = time.monotonic()
            self._owed_s -= self._last_small - self._since
            self._holder = None
            if self._small_waiting or self._slices_waiting:
                self._slice_due = self._slices_waiting > 0 and self._owed_s <= 0
                self._changed.notify_all()
            else:
                self._slice_due = False

    def _take_slice(self) -> None:
        with self._changed:
            self._slices_waiting += 1
            while self._holder is not None or not (self._slice_due or self._calm()):
                self._changed.wait(CALM_S)
            self._slices_waiting -= 1
            self._slice_due = False
            self._holder = threading.get_ident()
            self._since = time.monotonic()

    def _end_slice(self) -> None:
        with self._changed:
            held_s = time.monotonic() - self._since
            self._owed_s = held_s if self._small_waiting else 0.0
            self._last_small = time.monotonic()
            self._holder = None
            if self._small_waiting or self._slices_waiting:
                self._changed.notify_all()

    def _calm(self) -> bool:
        if self._small_waiting:
            return False
        return self._owed_s <= 0 or time.monotonic() - self._last_small >= CALM_S


class _SmallTurn:
    """Takes and ends the turn of small calls; a class, for speed on the hot path."""

    __slots__ = ("_turn",)

    def __init__(self, turn: ProcessTurn) -> None:
        self._turn = turn

    def __enter__(self) -> None:
        self._turn.take_small()

    def __exit__(self, *exc: object) -> None:
        self._turn.end_small()
