"""Shipping that ends at a chosen step, by an exception in this process, or by SIGKILL in a child.

    python -m tests.support.ship_steps DIRECTORY...

A child works in each directory `NAME-k` and dies, by SIGKILL, before its k-th step, which is right
after the one before: a step is a write or a deletion at the place, or a transaction of the store.
Prints the number of children that died so; the others came to their end. A kill needs no syncs to
be survived, so that there are none.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penchant.logs.shipped.shipped_place import LocalPlace
from penchant.shipping.ship import ShipRequest, look
from penchant.shipping.shipper import Shipper
from penchant.store.base import Store, Transaction
from tests.support.shipped_world import DAY_S, opened, server_of
from tests.support.world import NOW_US

COMMIT_ROWS = 4
"""So few that one look makes several commits."""

TRIM_S = 30.0 * DAY_S


class Dies(Exception):
    """What ends a step in this process."""


def by_exception() -> None:
    raise Dies


def by_kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """Counts steps, and dies before one."""

    def __init__(self, last: int, die: Callable[[], None] = by_exception) -> None:
        self._left = last
        self._die = die

    def step(self) -> None:
        if self._left == 0:
            self._die()
        self._left -= 1


class MortalPlace(LocalPlace):
    def __init__(self, folder: Path, mortal: Mortal) -> None:
        super().__init__(folder)
        self._mortal = mortal

    def write(self, name: str, content: bytes, *, new: bool = False) -> None:
        self._mortal.step()
        super().write(name, content, new=new)

    def delete(self, name: str) -> None:
        self._mortal.step()
        super().delete(name)


@contextmanager
def counted_transactions(engine: type[Any], mortal: Mortal) -> Iterator[None]:
    """Each transaction of an engine's stores is a step during the body."""
    transaction = engine.transaction

    @contextmanager
    def counted(store: Store) -> Iterator[Transaction]:
        mortal.step()
        with transaction(store) as inner:
            yield inner

    engine.transaction = counted
    try:
        yield
    finally:
        engine.transaction = transaction


def ship_and_die(store: Store, directory: Path, mortal: Mortal) -> None:
    """Ships, rewrites and trims, as far as the steps allow."""
    place = MortalPlace(directory / "log", mortal)
    shipper = Shipper(store, place, lambda: NOW_US, COMMIT_ROWS)
    with counted_transactions(type(store), mortal):
        look(server_of(directory, store), shipper, ShipRequest(trim_older=TRIM_S, compact=True))


def main(directories: list[Path]) -> None:
    os.fsync = lambda fd: None
    died = 0
    for directory in directories:
        number = int(directory.name.rpartition("-")[2])
        child = os.fork()
        if not child:
            status = 1
            try:
                ship_and_die(opened(directory), directory, Mortal(number, by_kill))
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if status and os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            sys.exit(f"child {number} failed")
        died += status != 0
    sys.stdout.write(f"{died}\n")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
