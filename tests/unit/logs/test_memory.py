"""A log in memory costs a bounded number of bytes an event, however long the file is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MOST_BYTES = 200
"""Bytes an event, the transient ones of reading included. Objects would take 500 and more."""

FEW, MANY = 70_000, 350_000
"""Rows of two files: the smaller one already fills a batch, so that the rest is what grows."""

PROGRAM = """
import resource, sys
from pathlib import Path
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.columns import EventColumns
from penchant.logs.interactions import LogFile
from penchant.logs.refusals import LeftOut

def peak(path):
    file = LogFile(Path(path), None, EventColumns())
    log = file.read({f"item-{n}": n for n in range(100)}, DEFAULT_SIGNALS, LeftOut())
    return len(log.item), 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

(few, before), (many, after) = peak(sys.argv[1]), peak(sys.argv[2])
print((after - before) / (many - few))
"""


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_memory_grows_by_a_bounded_number_of_bytes_an_event(tmp_path: Path, suffix: str) -> None:
    for count in (FEW, MANY):
        with (tmp_path / f"{count}.{suffix}").open("w") as file:
            if suffix == "csv":
                file.write("event_id,user,item,signal,occurred_at\n")
                file.writelines(
                    f"e{n},user-{n % 5000},item-{n % 100},like,{n}\n" for n in range(count)
                )
            else:
                file.writelines(
                    f'{{"event_id": "e{n}", "user": {n % 5000}, "item": "item-{n % 100}", '
                    f'"signal": "like", "occurred_at": {n}}}\n'
                    for n in range(count)
                )
    files = [str(tmp_path / f"{count}.{suffix}") for count in (FEW, MANY)]
    command = [sys.executable, "-c", PROGRAM, *files]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(run.stdout) < MOST_BYTES
