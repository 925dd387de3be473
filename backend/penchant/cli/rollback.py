"""`penchant rollback`: back to an earlier release."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console

from penchant.cli.step_status import step_status
from penchant.releases.rollback import RollbackRequest, roll_back
from penchant.system.option_types import FLAT


def rollback(request: Annotated[RollbackRequest, FLAT]) -> None:
    """Serves an earlier release again; a running server follows at its next request.

    During a rollout it ends that rollout instead. Nothing is fitted again: the store still holds
    what the earlier release had learnt. Users, their events and everything learnt of them stay as
    they are.
    """
    console = Console(highlight=False)
    with step_status(console, "Reading the log of releases") as progress:
        result = roll_back(request, progress)
    if result.ended is not None:
        text = f"The {result.ended.mode} of {result.ended.release} is ended; what was served stays."
    else:
        head = result.head
        assert head is not None
        text = (
            "Served from the next request on: "
            f"{head.release or 'what was there before any release'} (encoder "
            f"{head.encoder_version}, catalog version {head.version}). "
            f"Next: penchant releases --store {request.store}"
        )
    console.print(text, soft_wrap=True)
