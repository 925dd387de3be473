"""Rebuilding users' records as one job, after a change of the signals or of the window."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.service.rebuilt_records import rebuild_records
from penchant.system.progress import Progress, no_progress


@dataclass(frozen=True, slots=True)
class RebuildRequest:
    """The store to rebuild, with the settings that the server has now."""

    _: KW_ONLY
    store: str
    """Store of the server: lmdb:DIRECTORY."""
    settings: ServerSettings = ()
    """A setting, as the server has it; repeatable."""


@dataclass(frozen=True, slots=True)
class RebuildResult:
    """The outcome of a rebuild."""

    users: int
    """Users whose records were rebuilt."""


def rebuild(request: RebuildRequest, progress: Progress = no_progress) -> RebuildResult:
    """Rebuilds every user's record from the log, under today's signals and window.

    A running server may stay up; it needs the same settings.

    Raises:
        ConfigError: there is no store, or a setting is wrong.
        InvalidEvent: the signal of a logged event is no longer configured.
        LaunchError: the store's address or a setting can't be read.
    """
    with open_server_store(request.store, request.settings) as server:
        config = server.config
        users = rebuild_records(server.store, config.signals, config.fold.window_events, progress)
    return RebuildResult(users)
