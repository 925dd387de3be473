"""`penchant fit`: from a log to the best release that the time allows."""

from __future__ import annotations

import signal
import time
from typing import Annotated

from penchant.cli.fitted_file import FITTED, check_fitted_file, write_fitted_file
from penchant.cli.log_age import age_note
from penchant.cli.next_steps import command_line, next_steps, options
from penchant.cli.step_status import step_status
from penchant.fit.fit import fit as run_fit
from penchant.fit.fit_request import FitRequest
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = FitRequest()


def fit(*, request: Annotated[FitRequest, FLAT] = _DEFAULTS) -> int | None:
    """Makes a release of a log: looks at it, chooses by validation, measures, and stores it.

    A log in files goes into a new store inside the output, which serves the release; a log of
    --store stays where it is, and the release waits to be published. Ctrl-C stops; the same command
    goes on.
    """
    console = terminal()
    check_fitted_file(request.output / FITTED)
    try:
        with step_status(console, "Reading the log") as progress:
            result = run_fit(request, lambda line: console.say(printable(line)), progress)
    except KeyboardInterrupt:
        console.say("Stopped by you; the same command goes on.")
        return 128 + signal.SIGINT
    file = request.output / FITTED
    write_fitted_file(file, result)
    console.say(f"Release {result.release.id} in {result.folder}.")
    console.say(f"Report: {result.report}")
    if note := age_note(result.check.last_us, time.time_ns() // 1000):
        console.say(note, "yellow")
    if result.served:
        next_steps(console, {command_line("serve", "--config", file): ""}, "Serve it:")
    else:
        there = options(store=request.log.store, settings=request.settings)
        publish = command_line("publish", result.release.id, *there)
        next_steps(console, {publish: ""}, "Judge it beside the served one, and serve it:")
    if result.alarm:
        console.say(f"Warning: {printable(result.alarm)}", "yellow")
    return None
