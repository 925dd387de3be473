"""Rebuilding users' records as one job, after a change of the signals or of the window."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.server.kept_settings import REBUILT, keep
from penchant.service.rebuilt_records import rebuild_records
from penchant.system.option_types import STORE_IN_USE
from penchant.system.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """The store to rebuild, and the settings to rebuild it under."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY."""
    settings: ServerSettings = ()
    """New signals or a new window, which the store keeps from now on; repeatable."""


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The outcome of a rebuild."""

    users: int
    """Users whose records were rebuilt."""
    kept: tuple[str, ...] = ()
    """Names of the given settings, which the store keeps from now on."""


def rebuild(request: RebuildRequest, progress: Progress = no_progress) -> RebuildResult:
    """Rebuilds every user's record from the log, under today's signals and window.

    Signals and window are those that the store keeps, unless the request names others; the store
    then keeps those. A running server goes on with its own until it is restarted.

    Raises:
        ConfigError: there is no store, or a setting is wrong.
        InvalidEvent: the signal of a logged event is no longer configured.
        LaunchError: the store's address or a setting can't be read.
    """
    with open_server_store(request.store, request.settings, may_differ=REBUILT) as server:
        config = server.config
        users = rebuild_records(server.store, config.signals, config.fold.window_events, progress)
        changed = tuple(sorted(REBUILT & config.given))
        if changed:
            keep(server.store, config, REBUILT)
    return RebuildResult(users, changed)
