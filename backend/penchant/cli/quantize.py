"""`penchant quantize`: an encoder in int8, if it loses little enough."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.encoder_change import change_table, show_refusal
from penchant.cli.log_summary import show_log
from penchant.cli.next_steps import command_line, next_steps, options
from penchant.cli.step_status import text_status
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.compress.encoder_comparison import LossBudgetExceeded
from penchant.training.compress.quantize import QuantizeRequest
from penchant.training.compress.quantize import quantize as run


def quantize(*, request: Annotated[QuantizeRequest, FLAT]) -> int | None:
    """Quantizes an encoder to int8 and measures the loss.

    Matrix products whose activations int8 represents badly stay in fp32, as few as the budget
    needs. If more is lost than allowed, nothing is written and the exit status is 2.
    """
    console = terminal()
    try:
        with text_status(console, "Reading the log") as status:
            report = run(
                request,
                status,
                lambda stream, left_out, hits: show_log(console, stream, left_out, hits),
            )
    except LossBudgetExceeded as refused:
        return show_refusal(console, refused)
    console.print(change_table(report.change))
    console.say(f"{len(report.kept)} of {report.products} products stay in fp32.")
    store = request.validation.log.store
    words = options(candidate=request.output, store=store)
    next_steps(console, {command_line("publish", *words): "judges it, and serves it"})
    return None
