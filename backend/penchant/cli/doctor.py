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
    """Checks this machine, the store and a server. Exits with status 1 if a check fails."""
    console = terminal()
    table = Table()
    for title in ("check", "", "found", "what to do"):
        table.add_column(title, overflow="fold")
    failures = 0
    for check in diagnose(request):
        failures += check.state == "fail"
        state = Text(check.state, style=_COLOURS[check.state])
        table.add_row(
            check.name, state, Text(printable(check.found)), Text(printable(check.advice))
        )
    console.print(table)
    if failures:
        console.print(f"{failures} {'check fails' if failures == 1 else 'checks fail'}.")
        return 1
    console.print("All is well.")
    return 0
