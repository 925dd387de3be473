"""`penchant doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

from typing import Annotated

from rich.table import Table
from rich.text import Text

from penchant.launch.diagnosis import DiagnosisRequest, diagnose
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = DiagnosisRequest()
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}


def doctor(*, request: Annotated[DiagnosisRequest, FLAT] = _DEFAULTS) -> int:
    """Checks this machine, the store and a server. Exits with status 1 if a check fails.

    With --security, it tries each door of a running server as an outsider, changes nothing, and
    says what is open and how to close it.
    """
    console = terminal()
    table = Table()
    for title in ("check", "", "found", "what to do"):
        table.add_column(title, overflow="fold")
    failures = warnings = 0
    for check in diagnose(request):
        failures += check.state == "fail"
        warnings += check.state == "warn"
        state = Text(check.state, style=_COLOURS[check.state])
        table.add_row(
            check.name, state, Text(printable(check.found)), Text(printable(check.advice))
        )
    console.print(table)
    if request.security:
        console.say(_verdict(failures, warnings))
        return 2 if failures else int(warnings > 0)
    if failures:
        console.print(f"{failures} {'check fails' if failures == 1 else 'checks fail'}.")
        return 1
    console.print("All is well.")
    return 0


def _verdict(failures: int, warnings: int) -> str:
    if failures:
        return f"Open to others: {failures}. See what to do."
    return f"To look at: {warnings}." if warnings else "Nothing is open."
