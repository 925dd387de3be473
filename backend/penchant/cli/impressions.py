"""`penchant impressions`: the logged impressions with their answers, from a store to a file."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import step_status
from penchant.logs.impressions import ImpressionsRequest, write_impressions
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT


def impressions(*, request: Annotated[ImpressionsRequest, FLAT]) -> None:
    """Writes the logged impressions with their answers, for `penchant ope`."""
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        report = write_impressions(request, progress)
    output = request.output
    lines = [
        f"{report.impressions:,} impressions, {report.rewarded:,} with a reward "
        f"({', '.join(sorted(report.signals))}), {report.explored:,} explored: {output}",
    ]
    for kind, remedy, count in report.retired.cases():
        lines.append(f"Left out, {printable(kind)}: {count:,} ({remedy})")
    console.say("\n".join(lines))
    columns = ("--position-column", "position", "--user-column", "user")
    ope = command_line("ope", output, "--policy", "softmax", *columns)
    next_steps(console, {ope: "the reward of another policy"})
