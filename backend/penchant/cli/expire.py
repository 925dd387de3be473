"""`penchant expire`: deletes events that are older than the store may keep."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.refresh import expire as job
from penchant.refresh.expire import ExpireRequest
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = ExpireRequest()


def expire(*, request: Annotated[ExpireRequest, FLAT] = _DEFAULTS) -> None:
    """Deletes events that happened too long ago, as if they had never been.

    With the setting retention_days, the refresh clock of the server does it once a day. A running
    server may stay up. What deleted impressions were charged stays in their campaigns' accounts.
    """
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        expired = job.expire(request, progress)
    console.say(
        f"Deleted {counted(expired.events, 'event')} and "
        f"{counted(expired.reservations, 'reservation')} of {counted(expired.users, 'user')}."
    )
    if expired.unreadable:
        console.say(
            f"Something of {counted(expired.unreadable, 'user')} can't be read, and stays: "
            "`penchant rebuild` mends what it can.",
            "yellow",
        )
