"""`penchant prune`: a smaller encoder, taught by the larger one."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.encoder_change import change_table, show_refusal
from penchant.cli.log_summary import show_log
from penchant.cli.next_steps import command_line, encoder_of, next_steps
from penchant.cli.step_status import text_status
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.compress.encoder_comparison import LossBudgetExceeded
from penchant.training.compress.prune import PruneRequest
from penchant.training.compress.prune import prune as run


def prune(*, request: Annotated[PruneRequest, FLAT]) -> int | None:
    """Drops an encoder's least important layers, teaches the rest, and trims the vocabulary.

    The importance of each layer is measured on the validation part of a log. The smaller encoder
    then learns to reproduce the larger one's vectors. If more is lost than allowed, nothing is
    written and the exit status is 2.
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
    kept = ", ".join(map(str, report.kept_layers))
    console.say(
        f"Kept layers {kept} of {report.layers}, and {report.kept_tokens:,} of {report.tokens:,} "
        "tokens."
    )
    export = command_line(
        "export", "--source", request.output, "--output", encoder_of(request.output)
    )
    next_steps(console, {export: "an encoder that a server loads"})
    return None
