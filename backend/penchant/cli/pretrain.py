"""`penchant pretrain`: an encoder reads the texts of a distant domain before it is fine-tuned."""

from __future__ import annotations

import signal
from typing import Annotated

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from penchant.cli.progress_lines import progress_lines
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.pretrain import PretrainRequest
from penchant.training.pretrain import pretrain as run


def pretrain(*, request: Annotated[PretrainRequest, FLAT]) -> int | None:
    """Trains an encoder to predict masked words of the catalog's texts; needs no events.

    Worth it where items have a language of their own: parts, medicine, recipes. An interrupted
    training resumes when the same command is run again.
    """
    console, total = terminal(), request.settings.steps
    columns = (TextColumn("Predicting masked words"), BarColumn(), MofNCompleteColumn())
    try:
        with (
            Progress(*columns, TimeRemainingColumn(), console=console) as progress,
            progress_lines(console, "Predicting masked words") as lines,
        ):

            def on_step(step: int) -> None:
                progress.update(task, completed=step)
                lines.text = f"Predicting masked words: step {step:,} of {total:,}"

            task = progress.add_task("", total=total)
            report = run(request, on_step)
    except KeyboardInterrupt:
        console.print("Stopped; the same command resumes from the last checkpoint.")
        return 128 + signal.SIGINT
    for note in report.left_out:
        console.say(printable(note), "yellow")
    console.say(
        f"Loss of masked words in held-out texts: {report.before:.3f} -> {report.after:.3f} nats\n"
        f"Next: fine-tune it on a log, with --source {request.output}; `penchant finetune --help` "
        "lists the options."
    )
    return None
