"""`penchant gate`: may a candidate encoder replace the one that serves?"""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.text import Text

from penchant.cli.invocation import current_line
from penchant.cli.judging import REFUSED, judging, show
from penchant.cli.progress_bars import log_printer
from penchant.evaluation.gates.gate import GateRequest
from penchant.evaluation.gates.gate import gate as run_gate
from penchant.report.page import as_json, check_writable
from penchant.report.terminal import Terminal, terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT


@dataclass(frozen=True, slots=True)
class GateOutput:
    """Where `penchant gate` writes its findings."""

    json: Annotated[Path | None, Parameter(group="Output")] = None
    """Write all findings to this file."""


def gate(
    *,
    request: Annotated[GateRequest, FLAT],
    output: Annotated[GateOutput, FLAT] = GateOutput(),
) -> int:
    """Ranks the newest part of a log with both encoders, and refuses a candidate that loses much.

    Exit status: 0 passed, 2 refused, 1 an error. docs/guides/gates.md explains the comparison.
    """
    console = terminal()
    began = time.monotonic()
    if output.json is not None:
        check_writable(output.json, "--json", (*request.reads, request.freeze_probes))
    try:
        with judging(console) as progress:
            verdict = run_gate(request, on_log=log_printer(console), progress=progress)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        return 128 + signal.SIGINT
    show(console, verdict)
    if output.json is not None:
        found = {"made_by": current_line(), **json.loads(verdict.json())}
        write_whole(output.json, as_json(found))
        console.print(Text(f"Findings: {output.json}"), soft_wrap=True)
    if request.freeze_probes is not None:
        _print_probes(console, request.freeze_probes)
    console.print(f"Done in {time.monotonic() - began:.0f} s.")
    return 0 if verdict.passed else REFUSED


def _print_probes(console: Terminal, path: Path) -> None:
    from penchant.evaluation.gates.probe_file import read_probes

    console.print(Text(f"Probes of {read_probes(path).era}: {path}"), soft_wrap=True)
