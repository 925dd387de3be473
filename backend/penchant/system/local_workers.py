"""Work in shares by processes of this machine: the same results in the same order for any number.

A share is done by one process, whichever is free. If a process dies, the shares that are not done
are begun again by new ones.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from penchant.domain.errors import ConfigError

MOST_DEATHS = 5
"""Processes that may die before the work is given up."""

_Share = TypeVar("_Share")
_Result = TypeVar("_Result")


def worked_here(
    work: Callable[[_Share], _Result], shares: Sequence[_Share], workers: int
) -> Iterator[_Result]:
    """Yields the results of shares, in their order.

    Args:
        work: a function of a module, without memory of other shares.
        shares: what can be pickled, and so the results.
        workers: processes; 1: this one, without another.

    Raises:
        ConfigError: processes died again and again, as where memory is short.
    """
    if workers <= 1:
        yield from map(work, shares)
        return
    done: dict[int, _Result] = {}
    next_place, deaths = 0, 0
    while next_place < len(shares):
        left = [place for place in range(next_place, len(shares)) if place not in done]
        context = multiprocessing.get_context("spawn")  # A fork would share the open store.
        try:
            with ProcessPoolExecutor(workers, mp_context=context) as pool:
                places = {pool.submit(work, shares[place]): place for place in left}
                for future in as_completed(places):
                    done[places[future]] = future.result()
                    while next_place in done:
                        yield done.pop(next_place)
                        next_place += 1
        except BrokenProcessPool as error:
            deaths += 1
            if deaths > MOST_DEATHS:
                raise ConfigError(
                    f"--workers: processes died {deaths} times, perhaps since memory is short; "
                    f"got {workers}, expected fewer"
                ) from error
