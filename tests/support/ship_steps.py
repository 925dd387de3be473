"""A process that ships a log and kills itself at each of its steps, in a child for each.

    python -m tests.support.ship_steps DIRECTORY...

Child k works in the k-th directory and dies, by SIGKILL, before its k-th step, which is right after
the one before: a step is a write or a deletion at the place, or a transaction of the store. Prints
the number of children that died so; the others came to their end. A kill needs no syncs to be
survived, so that there are none.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penchant.logs.shipped.shipped_place import LocalPlace
from penchant.shipping.ship import ShipRequest, look
from penchant.shipping.shipper import Shipper
from penchant.store.base import Transaction
from penchant.store.lmdb import LmdbStore
from tests.support.shipped_world import DAY_S, opened, server_of
from tests.support.world import NOW_US

COMMIT_ROWS = 4
"""So few that one look makes several commits."""

TRIM_S = 30.0 * DAY_S


class Mortal:
    """Counts steps, and dies before one."""

    def __init__(self, last: int) -> None:
        self._left = last

    def step(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
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


def ship_and_die(directory: Path, last: int) -> None:
    mortal = Mortal(last)
    transaction = LmdbStore.transaction

    @contextmanager
    def counted(store: LmdbStore) -> Iterator[Transaction]:
        mortal.step()
        with transaction(store) as inner:
            yield inner

    store = opened(directory)
    LmdbStore.transaction = counted  # type: ignore[method-assign, assignment]  # In this child.
    shipper = Shipper(store, MortalPlace(directory / "log", mortal), lambda: NOW_US, COMMIT_ROWS)
    look(server_of(directory, store), shipper, ShipRequest(trim_older=TRIM_S, compact=True))


def main(directories: list[Path]) -> None:
    os.fsync = lambda fd: None
    died = 0
    for number, directory in enumerate(directories):
        child = os.fork()
        if not child:
            status = 1
            try:
                ship_and_die(directory, number)
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
