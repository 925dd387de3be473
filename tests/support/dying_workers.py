"""Work in shares for which one process dies on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from penchant.refresh.record_workers import RecordShare, make_share
from penchant.service.rebuilt_records import MadeRecord

NAME = "died"


def make_share_or_die(share: RecordShare) -> list[MadeRecord]:
    """Dies by SIGKILL the first time that it meets the last user, and never again."""
    marker = Path(share.address.partition(":")[2]) / NAME
    if "u39" in share.users and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return make_share(share)
