"""One refresh of a store at a time: a lock on a file beside it, which says who holds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.system.turn_file import TurnTaken, turn_file

NAME = "refresh.lock"


class RefreshRunning(ConfigError):
    """Another process is refreshing the store.

    Cause: a clock (`penchant serve`, `penchant refresh --every`) or a `penchant refresh` works on
    the same store; the message names the process.
    Remedy: wait for it; if it is stopped, let it go on or end it, which loses nothing.
    """


@contextmanager
def refresh_turn(address: str, wait_s: float) -> Iterator[None]:
    """Holds the turn to refresh a store during the body; the kernel frees it if this process dies.

    Args:
        address: of the store, `lmdb:DIRECTORY`.
        wait_s: seconds to wait for whoever refreshes it.

    Raises:
        RefreshRunning: somebody still does; the text names the process.
        StoreUnavailable: the lock's file can't be made.
    """
    try:
        with turn_file(Path(address.partition(":")[2]) / NAME, wait_s):
            yield
    except TurnTaken as holder:
        raise RefreshRunning(
            f"refresh: {holder} is refreshing this store; wait for it, since only one refresh at a "
            "time can work on a store"
        ) from None
