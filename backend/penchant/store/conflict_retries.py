"""Work that is done again where another server was faster: bounded, and in turn.

Where the store keeps an order of those who lost, each waits for its turn; else pauses are random.
Only a store that several servers write to raises WriteConflict. Whoever writes to it comes by here,
so that the conflict never reaches a caller.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from penchant.domain.errors import StoreUnavailable
from penchant.store.base import Store, Transaction, WriteConflict

LONGEST_S = 2.0
"""Seconds after the first conflict from which on a call fails instead of trying again."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.001, 0.05
"""Longest pause after the first conflict, doubled at each of the next ones, and its limit."""

_Result = TypeVar("_Result")


class ConflictRetries:
    """The pauses of one piece of work."""

    def __init__(self) -> None:
        """Nothing has failed yet."""
        self._most_s = FIRST_PAUSE_S
        self._until_s: float | None = None

    def pause(self, conflict: WriteConflict) -> None:
        """Waits before the next attempt: for its turn, or for a random time.

        The longest random time doubles with each attempt.

        Raises:
            StoreUnavailable: the first conflict was `LONGEST_S` ago.
        """
        now_s = time.monotonic()
        if self._until_s is None:
            self._until_s = now_s + LONGEST_S
        elif now_s >= self._until_s:
            raise StoreUnavailable(
                f"store: other servers kept writing to the same rows for {LONGEST_S:g} s; "
                "send the call again"
            ) from conflict
        if conflict.turn is not None:
            conflict.turn(self._until_s - now_s)
            return
        time.sleep(random.uniform(0.0, self._most_s))
        self._most_s = min(2 * self._most_s, LONGEST_PAUSE_S)


def in_transaction(store: Store, work: Callable[[Transaction], _Result]) -> _Result:
    """The result of work in a transaction, from the beginning for as long as others are faster.

    Args:
        store: the store.
        work: done again after a conflict, also where some of its users are written already: work on
            several users must find what it has done.

    Raises:
        StoreUnavailable: others were faster for `LONGEST_S`, or the store fails.
    """
    retries = ConflictRetries()
    while True:
        try:
            with store.transaction() as transaction:
                result = work(transaction)
        except WriteConflict as conflict:
            retries.pause(conflict)
        else:
            return result
