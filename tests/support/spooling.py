"""A program that gives feedback with a spool until it is killed: events FIRST, FIRST + 1, … .

    python -m tests.support.spooling TARGET SPOOL LEDGER FIRST

appends `USER EVENT_ID` to the ledger for each event whose ack says that it waits in the spool.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from penchant_sdk import Event, EventStatus, Penchant


def _main(target: str, spool: Path, ledger: Path, first: int) -> None:
    with (
        ledger.open("a", buffering=1) as file,
        Penchant(target, timeout_s=0.5, max_attempts=1, spool=spool) as penchant,
    ):
        for n in itertools.count(first):
            event = Event(f"u{n % 3}", "1", "like", event_id=f"e{n:06}")
            ack = penchant.feedback([event])
            if ack.results[0].status is EventStatus.SPOOLED:
                print(event.user, event.event_id, file=file)


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
