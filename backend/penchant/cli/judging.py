"""A gate on the terminal: progress bars while it judges, then its findings and the verdict."""

from __future__ import annotations

from contextlib import AbstractContextManager

from rich.console import Console
from rich.text import Text

from penchant.cli.progress_bars import step_bars
from penchant.evaluation.gates.verdict import Verdict
from penchant.report.text_table import rendered
from penchant.system.progress import Progress

REFUSED = 2
"""Exit status of a command that refuses its candidate."""


def judging(console: Console) -> AbstractContextManager[Progress]:
    """Shows one bar per step of a gate, without a time left: the number of steps is unknown."""
    return step_bars(console)


def show(console: Console, verdict: Verdict) -> None:
    """Prints all findings, the notes of some, and the verdict."""
    console.print(rendered(verdict.table()))
    for finding in verdict.findings:
        if finding.note:
            console.print(Text(str(finding), "yellow"), soft_wrap=True)
    style = "green" if verdict.passed else "red"
    console.print(Text(verdict.text(), style), soft_wrap=True)
