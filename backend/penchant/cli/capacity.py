"""`penchant capacity`: the highest rate at which a server keeps its service level."""

from __future__ import annotations

import signal
from typing import Annotated

from penchant.capacity.capacity_file import NAME, unfinished_levels
from penchant.capacity.capacity_report import PICTURE, draw, sentences, table
from penchant.capacity.capacity_request import CapacityRequest
from penchant.capacity.capacity_search import CapacityFound, found_so_far, search_capacity
from penchant.capacity.measured_level import MeasuredLevel
from penchant.capacity.noisy_bisection import CredibleInterval
from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import step_status
from penchant.report.chart import require_matplotlib
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.report.text_table import rendered
from penchant.system.option_types import FLAT

_DEFAULTS = CapacityRequest()


def capacity(*, request: Annotated[CapacityRequest, FLAT] = _DEFAULTS) -> int:
    """Finds the highest rate of calls that keeps a p99 and a share of failures, and draws the knee.

    Calls are sent when they are due, answered or not, and their latency counts from then. Without
    --target, a server of its own is started on made-up items. On a running server it only ranks,
    unless --feedback-share says otherwise. Ctrl-C stops; the same command goes on. Exit status 1:
    not even the lowest rate keeps the service level.
    """
    console = terminal()
    require_matplotlib("capacity")

    def on_level(level: MeasuredLevel, interval: CredibleInterval) -> None:
        verdict = "holds" if level.holds else "fails"
        console.say(
            f"{level.rate:8,.0f}/s {verdict}: p99 {level.p99_ms:.1f} ms, failed "
            f"{level.failed_share:.2%}; so far {interval.low:,.0f} to {interval.high:,.0f}/s"
        )

    try:
        with step_status(console, "Looking for a server") as progress:
            found = search_capacity(request, on_level, progress)
    except KeyboardInterrupt:
        levels = unfinished_levels(request)
        if levels:
            _show(console, request, found_so_far(request, levels))
        console.say("Stopped by you; the same command goes on.")
        return 128 + signal.SIGINT
    _show(console, request, found)
    steps = {
        command_line("capacity", "--help"): "another mix, another service level, a running server",
        command_line("serve", "--help"): "processes that rank, and settings",
    }
    if found.outside != "below":
        console.say(
            f"Plan for at most 70 % of it, {0.7 * found.interval.low:,.0f} calls per second, so "
            "that a burst finds room."
        )
    next_steps(console, steps)
    return 1 if found.outside == "below" else 0


def _show(console: Terminal, request: CapacityRequest, found: CapacityFound) -> None:
    if found.about:
        console.say(f"Measured: {printable(found.about)}.")
    console.print(rendered(table(found)))
    for line in sentences(found):
        console.say(line)
    picture = request.output / PICTURE
    draw(found, picture)
    console.say(f"Numbers: {request.output / NAME}\nPicture: {picture}")
