"""`penchant compact`: a store's file without the pages that deletions have freed."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.step_status import step_status
from penchant.launch import compact as job
from penchant.launch.compact import CompactRequest
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT


def compact(*, request: Annotated[CompactRequest, FLAT]) -> None:
    """Rewrites the store's file: space goes back to the disk, deleted data leaves it for good.

    A running server may stay up. Its writers wait for the copy, for 5 s at most; those of a larger
    store are refused for as long as it takes, and try again.
    """
    console = terminal()
    with step_status(console, "Compacting the store"):
        result = job.compact(request)
    before, after = result.before_bytes / 2**20, result.after_bytes / 2**20
    console.say(f"The store's file went from {before:,.1f} to {after:,.1f} MiB.")
