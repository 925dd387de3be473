"""`penchant calibrate`: click probabilities that hold, from the log's impressions and clicks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from penchant.calibration import calibrate as job
from penchant.calibration.calibrate import (
    CalibrationRequest,
    CalibrationResult,
    write_calibration,
)
from penchant.calibration.plot import draw
from penchant.cli.step_status import text_status
from penchant.report.page import check_writable
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.option_types import FLAT

_NO_OPTIONS = CalibrationRequest()


def calibrate(
    *,
    request: Annotated[CalibrationRequest, FLAT] = _NO_OPTIONS,
    output: Annotated[
        Path, Parameter(help="File to write, for `penchant_sdk.ads.Calibration.load`.")
    ] = Path("calibration.json"),
    plot: Annotated[Path | None, Parameter(help="PNG file for a plot of the reliability.")] = None,
) -> None:
    """Fits the probability of a click to score and place, and judges it on later impressions.

    The position-based model: a place's examination times a sigmoid of the score. It is fitted to
    the older impressions, judged on the newer, and then fitted to all for the output. Where the
    store's log holds sales, the chance of a sale after a click is fitted too, by a model of their
    delays: a young click without a sale is not taken for one that leads to none.
    """
    check_writable(output, "--output", [request.impressions])
    if plot is not None:
        check_writable(plot, "--plot", (request.impressions, request.current, output))
    console = terminal()
    with text_status(console, "Calibrating"):
        found = job.calibrate(request)
    write_calibration(output, found)
    if plot is not None:
        draw(found, plot)
    _report(console, found)
    pictures = f", {plot}" if plot else ""
    text = f"Written: {output}{pictures}. Next: AdClient(..., calibration=Calibration.load(...))."
    console.print(Text(text), soft_wrap=True)


def _report(console: Terminal, found: CalibrationResult) -> None:
    console.print(
        f"{found.impressions:,} impressions, {found.clicks:,} clicks "
        f"({found.clicks / found.impressions:.2%}); judged on the newest "
        f"{found.held_out_impressions:,}."
    )
    table = Table(title="On later impressions", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("chance of a click")
    for heading in ("ECE", "ECE by chance alone", "log-loss"):
        table.add_column(heading, justify="right")
    for name, one in found.held_out.items():
        row = (f"{one.ece:.5f}", f"{one.ece_by_chance:.5f}", f"{one.log_loss:.5f}")
        table.add_row(_NAMES.get(name, name), *row)
    console.print(table)
    low, high = found.model.slope_interval
    lines = [f"slope {found.model.slope:.3f} ({low:.3f} to {high:.3f})"]
    for place, (looks, (least, most)) in enumerate(
        zip(found.model.examination, found.model.examination_intervals, strict=True), start=1
    ):
        interval = "" if place == 1 else f" ({least:.3f} to {most:.3f})"
        lines.append(f"examination of place {place}: {looks:.3f}{interval}")
    if found.sales is not None:
        sales = found.sales
        lines.append(
            f"{sales.clicks:,} clicks, {sales.sales:,} with a sale so far; sales per click, those "
            "still to come included, and the mean delay:"
        )
        lines += [
            f"  {campaign}: {chance:.4f} after {sales.mean_delay_s[campaign] / 3600:.1f} hours, "
            f"worth {sales.value[campaign]:.2f}"
            for campaign, chance in sales.chance.items()
        ]
    console.print(Text("\n".join(map(printable, lines))))
    for warning in found.warnings:
        console.print(Text(f"Warning: {warning}.", "yellow"), soft_wrap=True)


_NAMES = {
    "score": "the score's own sigmoid",
    "without places": "calibrated, places alike (Platt)",
    "with places": "calibrated by place",
    "in use": "in use until now",
}
