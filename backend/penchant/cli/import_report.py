"""Shows an import while it runs, and its counts at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from penchant.cli.client import counted
from penchant.cli.progress_lines import progress_lines
from penchant.logs.bulk_import import ImportReport, ImportStage, OnStage
from penchant.logs.refusals import changes
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal

CALL_TIMEOUT_S = 60.0
"""Longest wait for one call, in seconds."""


def run_import(file: Path, job: Callable[[OnStage], ImportReport]) -> int:
    """Runs an import with a progress bar; returns the exit status.

    It is 1 if there are no rows, every row is rejected, or a row opened a quote that it did not
    close.
    """
    console = terminal()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    progress = Progress(*columns, TimeRemainingColumn(), console=console)
    task = progress.add_task(printable(file.name), total=None)
    row = 0

    def show(stage: ImportStage) -> None:
        nonlocal row
        if not progress.live.is_started:
            if stage.row:
                console.print(Text(f"Going on behind row {stage.row:,} of {printable(file.name)}."))
            progress.start()
        row = stage.row
        lines.text = f"{printable(file.name)}: row {row:,}"
        progress.update(task, completed=stage.done, total=stage.size or None)

    try:
        with progress_lines(console, f"Opening {printable(file.name)}") as lines:
            report = job(show)
    except BaseException:
        progress.stop()
        if row:
            console.print(Text(f"{row:,} rows are done; the same command goes on from there."))
        raise
    progress.stop()
    return _sum_up(console, report)


def _sum_up(console: Terminal, report: ImportReport) -> int:
    counts = report.counts
    rejected = counts.get("rejected", 0)
    total = sum(counts.values())
    if not total:
        console.print(Text("Error: there are no rows in the file.", "red"))
        return 1
    summary = Table("rows", "", show_header=False)
    for word, count in counts.items():
        if count:
            style = "red" if word == "rejected" else ""
            summary.add_row(Text(word, style=style), Text(f"{count:,}", justify="right"))
    console.print(summary)
    lines = [f"Times: {report.span}."] if report.span else []
    lines += [*map(printable, report.assumed), *changes(report.changed)]
    if rejected:
        lines += [f"Rejected, {first}" for first in report.first_rejected]
        lines.append(f"Rejected rows, with the reasons: {report.rejected_path}")
    console.print(Text("\n".join(lines)), soft_wrap=True, end="\n" if lines else "")
    for warning in report.warnings:
        console.print(Text(f"Warning: {warning}", "yellow"), soft_wrap=True)
    if report.open_quotes:
        error = (
            f"Error: {counted(report.open_quotes, 'quote')} not closed; the lines behind were read "
            "as rows. Mend the file, and import it again: no row counts twice."
        )
        console.print(Text(error, "red"), soft_wrap=True)
    if rejected == total:
        console.print(Text("Error: every row was rejected.", "red"))
    return int(rejected == total or report.open_quotes > 0)
