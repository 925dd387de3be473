"""`penchant pretrain`: an encoder reads the texts of a distant domain before it is fine-tuned."""

from __future__ import annotations

import signal
from typing import Annotated

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from penchant.system.option_types import FLAT
from penchant.training.pretrain import PretrainRequest
from penchant.training.pretrain import pretrain as run


def pretrain(*, request: Annotated[PretrainRequest, FLAT]) -> int | None:
    """Trains an encoder to predict masked words of the catalog's texts; needs no events.

    Worth it where items have a language of their own: parts, medicine, recipes. An interrupted
    training resumes when the same command is run again.
    """
    console = Console(highlight=False)
    columns = (TextColumn("Predicting masked words"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task("", total=request.settings.steps)
            report = run(request, lambda step: progress.update(task, completed=step))
    except KeyboardInterrupt:
        console.print("Stopped; the same command resumes from the last checkpoint.")
        return 128 + signal.SIGINT
    console.print(
        f"Loss of masked words in held-out texts: {report.before:.3f} -> {report.after:.3f} nats\n"
        f"Next: penchant finetune --source {request.output} ..."
    )
    return None
