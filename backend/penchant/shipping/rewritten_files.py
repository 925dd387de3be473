"""Rewrites shipped files so that what no longer counts is gone from them, and small ones are one.

Day by day, each with a commit of its own: first the new file, then the commit, then the old files
go. A kill leaves either the old files or the new one, and strays that the next run removes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pyarrow as pa

from penchant.logs.shipped.shipped_marks import MarksByName
from penchant.logs.shipped.shipped_place import read_columns
from penchant.logs.shipped.shipped_schema import by_day
from penchant.logs.shipped.shipped_state import ShippedFile
from penchant.shipping.shipper import Shipper
from penchant.system.progress import Progress, no_progress


@dataclass(slots=True)
class RewrittenFiles:
    """What a rewriting changed."""

    files_before: int = 0
    files_after: int = 0
    rows_gone: int = 0
    """Rows that no longer counted."""
    bytes_before: int = 0
    bytes_after: int = 0
    erased: int = 0
    """Forgotten users of whom no file holds anything any more."""


def rewrite_files(shipper: Shipper, progress: Progress = no_progress) -> RewrittenFiles:
    """Rewrites the days that have several files, or rows that no longer count.

    Args:
        shipper: after a look.
        progress: called as the days go by.

    Cost: reads every file that is older than a mark; a day is in memory at a time.
    """
    state, done = shipper.state, RewrittenFiles()
    forgotten = sum(mark.kind == "forgotten" for mark in state.marks)
    done.files_before = len(state.files)
    done.bytes_before = sum(file.bytes for file in state.files.values())
    days: defaultdict[str, list[ShippedFile]] = defaultdict(list)
    for file in state.files.values():
        days[file.name.partition("/")[0].removeprefix("date=")].append(file)
    if days:
        shipper.checkpoint()  # The cursors of the commits so far are in files that are to go.
    marks = MarksByName(state.marks)
    newest = max((mark.sequence for mark in state.marks), default=0)
    for place, day in enumerate(sorted(days)):
        progress("Rewriting files", place / len(days))
        _rewrite_day(shipper, days[day], marks, newest, done)
    shipper.checkpoint()
    done.files_after = len(state.files)
    done.bytes_after = sum(file.bytes for file in state.files.values())
    done.erased = forgotten - sum(mark.kind == "forgotten" for mark in state.marks)
    progress("Rewriting files", 1.0)
    return done


def _rewrite_day(
    shipper: Shipper,
    files: list[ShippedFile],
    marks: MarksByName,
    newest: int,
    done: RewrittenFiles,
) -> None:
    if len(files) == 1 and files[0].sequence >= newest:
        return
    tables, same = [], True
    for file in files:
        table = read_columns(shipper.place, file.name)
        counted = marks.applied(table, file.sequence)
        same = same and counted is table
        done.rows_gone += table.num_rows - counted.num_rows
        tables.append(counted)
    if same and len(files) == 1:
        shipper.commit(kept=files, rewritten=True)
        return
    names = [file.name for file in files]
    shipper.commit(list(by_day(pa.concat_tables(tables))), removed=names, rewritten=True)
    for name in names:
        shipper.place.delete(name)
