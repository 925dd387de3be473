"""`penchant impressions`: the logged impressions with their answers, from a store to a file."""

from __future__ import annotations

from typing import Annotated

from rich.console import Console
from rich.text import Text

from penchant.cli.step_status import step_status
from penchant.logs.impressions import ImpressionsRequest, write_impressions
from penchant.system.option_types import FLAT


def impressions(*, request: Annotated[ImpressionsRequest, FLAT]) -> None:
    """Writes the logged impressions with their answers, for `penchant ope`."""
    console = Console()
    with step_status(console, "Opening the store") as progress:
        report = write_impressions(request, progress)
    output = request.output
    lines = [
        f"{report.impressions:,} impressions, {report.rewarded:,} with a reward "
        f"({', '.join(sorted(report.signals))}), {report.explored:,} explored: {output}",
        f"Try next: penchant ope {output} --policy softmax --position-column position "
        "--user-column user",
    ]
    for kind, remedy, count in report.retired.cases():
        lines.append(f"Left out, {kind}: {count:,} ({remedy})")
    console.print(Text("\n".join(lines)), soft_wrap=True)
