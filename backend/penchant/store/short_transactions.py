"""Long work on a store in use: transactions so short that the server's own never wait long."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from penchant.store.base import Store, Transaction, WriteConflict
from penchant.store.conflict_retries import ConflictRetries
from penchant.system.progress import Progress, no_progress

FETCHED = 64
"""Elements whose rows are fetched together, and written together, where others can write beside."""

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
    fetch: Callable[[Transaction, Sequence[_Element]], None] | None = None,
    user_of: Callable[[_Element], object] = lambda element: element,
) -> list[_Value]:
    """Works on each element inside a transaction, on as many in one as its time allows.

    Where another server was faster, the work on what was not written is done again: on the elements
    of the users that the conflict names, else on all elements of that transaction. What was fetched
    together is tried again after all else, and in smaller groups.

    Args:
        store: the store.
        elements: in the order in which they are tried first.
        work: reads and writes what concerns one element.
        progress: called before each transaction and at the end.
        stage: name of the stage, for `progress`.
        fetch: has the engine fetch what the work on some elements reads; None: it reads bit by bit.
        user_of: the user whose rows the work on an element writes; something else: not one's alone.

    Returns:
        What the work on each element returned, in the order in which it was committed.

    Raises:
        StoreUnavailable: others were faster for 2 s in which nothing was written, or the store
            fails.
    """
    left, values, together = deque(elements), list[_Value](), FETCHED
    retries = ConflictRetries()
    while left:
        progress(stage, 1.0 - len(left) / len(elements))
        taken: list[_Element] = []
        made: list[_Value] = []
        try:
            with store.transaction() as transaction:
                until_s, most = time.perf_counter() + HELD_S, len(left)
                if fetch is not None and transaction.shared:
                    until_s, most = math.inf, min(most, together)
                    fetch(transaction, list(itertools.islice(left, most)))
                while len(taken) < most:
                    taken.append(left.popleft())
                    made.append(work(transaction, taken[-1]))
                    if time.perf_counter() >= until_s:
                        break
        except WriteConflict as conflict:
            kept = [bool(conflict.users) and user_of(one) not in conflict.users for one in taken]
            if conflict.users and kept.count(False) < len(conflict.users):
                kept = [False] * len(taken)  # They are no users, or one's work writes to others.
            lost = [one for one, keep in zip(taken, kept, strict=True) if not keep]
            values += [value for value, keep in zip(made, kept, strict=False) if keep]
            together = max(1, together // 2)  # The fewer, the sooner they are written.
            if any(kept):
                retries = ConflictRetries()
            if fetch is not None and len(taken) > 1:
                left.extend(lost)  # After all others; a turn that came would be for nobody here.
            else:
                retries.pause(conflict)
                left.extendleft(reversed(lost))
        else:
            retries, together = ConflictRetries(), min(FETCHED, 2 * together)
            values += made
    progress(stage, 1.0)
    return values
