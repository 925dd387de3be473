"""Work in shares for which one process dies on the way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Each process loads what its own shares need, and not the others'.
    from penchant.domain.arrays import Float32
    from penchant.encoder.shared_encoder import TextShare
    from penchant.evaluation.shared_replay import ReplayedPart, ReplayPart
    from penchant.refresh.record_workers import RecordShare
    from penchant.refresh.user_outcomes import LogShare, ReadShare
    from penchant.service.rebuilt_records import MadeRecord

PLACE = "PENCHANT_TEST_DYING"
"""Variable that names the directory of the markers; not set: nobody dies."""


def die_once(name: str) -> None:
    """Dies by SIGKILL the first time that it meets a name, and never again."""
    place = os.environ.get(PLACE)
    if place and not (marker := Path(place) / name).exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def make_share_or_die(share: RecordShare) -> list[MadeRecord]:
    """Dies once at the share of the last user."""
    from penchant.refresh.record_workers import make_share

    if "u39" in share.users:
        die_once("records")
    return make_share(share)


def read_share_or_die(share: LogShare) -> ReadShare:
    """Dies once at the share of the last user."""
    from penchant.refresh.user_outcomes import read_share

    if "u39" in share.users:
        die_once("log")
    return read_share(share)


def encode_share_or_die(share: TextShare) -> Float32:
    """Dies once, whichever share comes first."""
    from penchant.encoder.shared_encoder import encode_share

    die_once("texts")
    return encode_share(share)


def replay_part_or_die(part: ReplayPart) -> ReplayedPart:
    """Dies once, whichever part comes first."""
    from penchant.evaluation.shared_replay import replay_part

    die_once("replay")
    return replay_part(part)
