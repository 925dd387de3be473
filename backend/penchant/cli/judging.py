"""A gate on the terminal: progress bars while it judges, then its findings and the verdict."""

from __future__ import annotations

from contextlib import AbstractContextManager

from penchant.cli.progress_bars import step_bars
from penchant.evaluation.gates.verdict import Verdict
from penchant.report.printable import printable
from penchant.report.terminal import Terminal
from penchant.report.text_table import rendered
from penchant.system.progress import Progress

REFUSED = 2
"""Exit status of a command that refuses its candidate."""


def judging(console: Terminal) -> AbstractContextManager[Progress]:
    """Shows one bar per step of a gate, without a time left: the number of steps is unknown."""
    return step_bars(console)


def show(console: Terminal, verdict: Verdict) -> None:
    """Prints all findings, the notes of some, and the verdict."""
    console.print(rendered(verdict.table()))
    for finding in verdict.findings:
        if finding.note:
            console.say(printable(str(finding)), "yellow")
    style = "green" if verdict.passed else "red"
    console.say(verdict.text(), style)
