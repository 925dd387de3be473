"""`penchant ope`: what a candidate policy would have earned, estimated from logged impressions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from penchant.cli.invocation import current_line
from penchant.cli.step_status import text_status
from penchant.evaluation.ope.estimate_policies import OpeRequest, estimate_policies
from penchant.evaluation.ope.intervals import PolicyValue
from penchant.evaluation.ope.policy_value import PolicyEstimates
from penchant.report.page import as_json, check_writable
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT


def ope(
    request: Annotated[OpeRequest, FLAT],
    *,
    json: Annotated[
        Path | None, Parameter(group="Output", help="File to write all numbers to.")
    ] = None,
) -> None:
    """Estimates what a candidate policy would have earned, from another policy's log."""
    if json is not None:
        check_writable(json, "--json", (request.file, request.action_probabilities))
    console = terminal()
    with text_status(console, "Estimating"):
        found = estimate_policies(request)
    _show(console, found)
    if json is not None:
        write_whole(json, as_json({"made_by": current_line(), **asdict(found)}))
        console.print(Text(f"Numbers: {json}"), soft_wrap=True)
    _what_next(console, found, json)


def _show(console: Terminal, found: PolicyEstimates) -> None:
    _warn(console, found)
    _table(console, f"Candidate {found.candidate}", found.logging, found.estimates)
    for name, estimates in found.by_position.items():
        others = {key: one for key, one in estimates.items() if key != "logging"}
        _table(console, f"Position {name}", estimates["logging"], others)
    seen = found.diagnostics
    lines = [
        f"Intervals of 95 %, clustered by {found.clustered_by}; {seen.rows} impressions, "
        f"{seen.nonzero_rewards} with a reward that counts.",
        f"Effective sample size {seen.effective_sample_size:.0f} "
        f"({seen.effective_sample_size / seen.rows:.1%}); the largest 1 % of the weights hold "
        f"{seen.top_percent_share:.1%}; mean weight {seen.mean_weight:.3f}, largest "
        f"{seen.largest_weight:.3g}.",
        *(["DM's interval leaves out the error of its model."] if "DM" in found.estimates else []),
    ]
    console.say("\n".join(lines))


def _warn(console: Terminal, found: PolicyEstimates) -> None:
    """Says before the numbers why the log can't carry them."""
    if not found.warnings:
        return
    console.say("This log can't carry the numbers below:", "bold yellow")
    for warning in found.warnings:
        console.say(f"Warning: {printable(warning)}", "yellow")
    reasons = found.left_out_because
    for reason, count in sorted(reasons.items(), key=lambda one: one[1], reverse=True)[:3]:
        console.say(f"  {count} rows: {printable(reason)}", "yellow")


def _table(
    console: Terminal, title: str, logging: PolicyValue, estimates: Mapping[str, PolicyValue]
) -> None:
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.add_column("estimator")
    for heading in ("value", "95 % interval", "ratio to logged"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, one in {"logging policy": logging, **estimates}.items():
        ratio = one.value / logging.value if logging.value else math.nan
        interval = "-" if math.isnan(one.low) else f"{one.low:.5f} to {one.high:.5f}"
        table.add_row(name, _number(one.value, 5), interval, _number(ratio, 3))
    console.print(table)


def _number(value: float, digits: int) -> str:
    """A number; a dash where it is not known: one row or user alone, or weights of 0."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def _what_next(console: Terminal, found: PolicyEstimates, json: Path | None) -> None:
    lines = ["Try next:"]
    if found.warnings:
        lines.append("  more exploration in the log  the warnings above say what is missing")
    if "DR" not in found.estimates:
        lines.append("  --action-probabilities FILE  DM, DR and switch-DR too")
    else:
        lines.append("  --context COLUMN             a better reward model: DR narrows")
    if found.clustered_by == "row":
        lines.append("  --user-column COLUMN         intervals that know who saw what")
    if json is None:
        lines.append("  --json FILE                  all numbers")
    lines.append("  an A/B test                  if an interval lies above the logging policy's")
    console.print(Text("\n".join(lines)), soft_wrap=True)
