"""One refresh of a store at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penchant.domain.errors import ConfigError
from penchant.store.base import Store
from penchant.store.store_turn import store_turn
from penchant.system.turn_file import TurnTaken


class RefreshRunning(ConfigError):
    """Another process is refreshing the store.

    Cause: a clock (`penchant serve`, `penchant refresh --every`) or a `penchant refresh` works on
    the same store; the message names the process.
    Remedy: wait for it; if it is stopped, let it go on or end it, which loses nothing.
    """


@contextmanager
def refresh_turn(address: str, wait_s: float, store: Store | None = None) -> Iterator[None]:
    """Holds the turn to refresh a store during the body; see `store_turn`.

    Raises:
        RefreshRunning: somebody still does; the text names the process.
        StoreUnavailable: the lock's file can't be made, or the store does not answer.
    """
    try:
        with store_turn(address, "refresh", wait_s, store):
            yield
    except TurnTaken as holder:
        raise RefreshRunning(
            f"refresh: {holder} is refreshing this store; wait for it, since only one refresh at a "
            "time can work on a store"
        ) from None
