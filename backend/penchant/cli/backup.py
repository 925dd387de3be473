"""`penchant backup`: a copy of a store, from which a server starts."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.launch import backup as job
from penchant.launch.backup import BackupRequest
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT


def backup(*, request: Annotated[BackupRequest, FLAT]) -> None:
    """Copies the store as of now, its releases, and the stores of its server's tenants.

    The server goes on meanwhile.

    To restore, stop the server and put the copy in the place of the store's directory.
    """
    console = terminal()
    with step_status(console, "Copying the store"):
        result = job.backup(request)
    tenants = f", those of {counted(result.tenants, 'tenant')} included" if result.tenants else ""
    console.say(f"Copied {result.bytes / 2**20:,.1f} MiB to {result.directory}{tenants}.")
