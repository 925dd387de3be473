"""`penchant backup`: a copy of a store, from which a server starts."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.step_status import step_status
from penchant.launch import backup as job
from penchant.launch.backup import BackupRequest
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT


def backup(*, request: Annotated[BackupRequest, FLAT]) -> None:
    """Copies the store as of now, and its releases, while the server goes on.

    To restore, stop the server and put the copy in the place of the store's directory.
    """
    console = terminal()
    with step_status(console, "Copying the store"):
        result = job.backup(request)
    console.say(f"Copied {result.bytes / 2**20:,.1f} MiB to {result.directory}.")
