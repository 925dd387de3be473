"""Long work on a store in use: transactions so short that the server's own never wait long."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from penchant.store.base import Store, Transaction
from penchant.system.progress import Progress, no_progress

HELD_S = 0.02
"""Seconds after which a transaction is committed, and others have their turn."""

_Element = TypeVar("_Element")


def in_short_transactions(
    store: Store,
    elements: Sequence[_Element],
    work: Callable[[Transaction, _Element], None],
    progress: Progress = no_progress,
    stage: str = "",
) -> None:
    """Works on each element inside a transaction, on as many in one as its time allows.

    Args:
        store: the store.
        elements: in their order.
        work: reads and writes what concerns one element.
        progress: called before each transaction and at the end.
        stage: name of the stage, for `progress`.
    """
    done = 0
    while done < len(elements):
        progress(stage, done / len(elements))
        with store.transaction() as transaction:
            until_s = time.perf_counter() + HELD_S
            while done < len(elements):
                work(transaction, elements[done])
                done += 1
                if time.perf_counter() >= until_s:
                    break
    progress(stage, 1.0)
