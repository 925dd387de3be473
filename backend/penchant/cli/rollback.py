"""`penchant rollback`: back to an earlier release."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.next_steps import command_line, next_steps, options
from penchant.cli.step_status import step_status
from penchant.releases.rollback import RollbackRequest, roll_back
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = RollbackRequest()


def rollback(request: Annotated[RollbackRequest, FLAT] = _DEFAULTS) -> None:
    """Serves an earlier release again; a running server follows at its next request.

    During a rollout it ends that rollout instead. Nothing is fitted again: the store still holds
    what the earlier release had learnt. Users, their events and everything learnt of them stay as
    they are.
    """
    console = terminal()
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
            f"{head.encoder_version}, catalog version {head.version})."
        )
    console.say(text)
    words = options(store=request.store, settings=request.settings)
    next_steps(console, {command_line("releases", *words): "which one is served"})
