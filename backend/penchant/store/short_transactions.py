"""Long work on a store in use: transactions so short that the server's own never wait long."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from penchant.store.base import Store, Transaction, WriteConflict
from penchant.store.conflict_retries import ConflictRetries
from penchant.system.progress import Progress, no_progress

HELD_S = 0.02
"""Seconds after which a transaction is committed, and others have their turn."""

_Element = TypeVar("_Element")
_Value = TypeVar("_Value")


def in_short_transactions(
    store: Store,
    elements: Sequence[_Element],
    work: Callable[[Transaction, _Element], _Value],
    progress: Progress = no_progress,
    stage: str = "",
) -> list[_Value]:
    """Works on each element inside a transaction, on as many in one as its time allows.

    Where another server was faster, the work on what was not written is done again: on users that
    the conflict names, if the elements are users, else on all elements of that transaction.

    Args:
        store: the store.
        elements: in their order.
        work: reads and writes what concerns one element.
        progress: called before each transaction and at the end.
        stage: name of the stage, for `progress`.

    Returns:
        What the work on each element returned, after it was committed.

    Raises:
        StoreUnavailable: others were faster again and again, or the store fails.
    """
    left, values = deque(elements), list[_Value]()
    retries = ConflictRetries()
    while left:
        progress(stage, 1.0 - len(left) / len(elements))
        taken: list[_Element] = []
        made: list[_Value] = []
        try:
            with store.transaction() as transaction:
                until_s = time.perf_counter() + HELD_S
                while left:
                    taken.append(left.popleft())
                    made.append(work(transaction, taken[-1]))
                    if time.perf_counter() >= until_s:
                        break
        except WriteConflict as conflict:
            retries.pause(conflict)
            lost = [one for one in taken if not conflict.users or one in conflict.users]
            if conflict.users and len(lost) < len(conflict.users):
                lost = taken  # They are no users, or one's work writes to others.
            kept = [one not in lost for one in taken]
            values += [value for value, keep in zip(made, kept, strict=False) if keep]
            left.extendleft(reversed(lost))
        else:
            retries = ConflictRetries()
            values += made
    progress(stage, 1.0)
    return values
