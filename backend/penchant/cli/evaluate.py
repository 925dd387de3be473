"""`penchant evaluate`: the quality of rankings on a log, beside that of baselines."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import TimeRemainingColumn

from penchant.cli.invocation import current_line
from penchant.cli.progress_bars import log_printer, step_bars
from penchant.encoder.source import default_source
from penchant.evaluation.evaluate import EvaluationRequest
from penchant.evaluation.evaluate import evaluate as run_evaluation
from penchant.evaluation.recommender import EncoderRetraining
from penchant.evaluation.result_tables import tables
from penchant.report.chart import require_matplotlib
from penchant.report.page import as_json, check_writable
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.report.text_table import rendered
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT, Flag

if TYPE_CHECKING:
    from penchant.evaluation.recommender_comparison import Evaluation

_DEFAULTS = EvaluationRequest()
_SLOW_CLOCK = "Fine-tuning, with --finetune"


@dataclass(frozen=True, slots=True)
class SlowClockOptions:
    """How the encoder is fine-tuned during the replay."""

    finetune: Flag = False
    """Train the encoder's projection on the training part."""
    finetune_every: Annotated[int, Parameter(group=_SLOW_CLOCK)] = 0
    """Train again at the first fit after this many events; 0: never."""
    dimensions: Annotated[int, Parameter(group=_SLOW_CLOCK)] = 64
    """Length of the vectors."""

    def make(self, rounds: Path, seed: int) -> EncoderRetraining | None:
        """The slow clock, which writes its encoders to `rounds`; None without `--finetune`."""
        if not self.finetune:
            return None
        from penchant.training.slow_clock import FinetuneClock

        return FinetuneClock(default_source(), rounds, self.dimensions, self.finetune_every, seed)


@dataclass(frozen=True, slots=True)
class EvaluationOutput:
    """Files that `penchant evaluate` writes."""

    json: Annotated[Path | None, Parameter(group="Output")] = None
    """Write all numbers to this file."""
    report: Annotated[Path | None, Parameter(group="Output")] = None
    """Write an HTML page with plots to this file."""

    def check(self, reads: Sequence[Path | None]) -> None:
        """Raises ConfigError if a file can't be written or plotted, before the work.

        Args:
            reads: files that the command reads.
        """
        if self.json is not None:
            check_writable(self.json, "--json", reads)
        if self.report is not None:
            check_writable(self.report, "--report", (*reads, self.json))
            require_matplotlib("--report")


def evaluate(
    *,
    request: Annotated[EvaluationRequest, FLAT] = _DEFAULTS,
    slow_clock: Annotated[SlowClockOptions, FLAT] = SlowClockOptions(),
    output: Annotated[EvaluationOutput, FLAT] = EvaluationOutput(),
) -> int:
    """Replays a log: ranks the catalog before each relevant event, and learns after each event.

    It runs strictly in time order and with the server's own code, but sends nothing to a server.
    Columns named user_id, item_id, timestamp and rating are found without options.
    """
    console = terminal()
    began = time.monotonic()
    output.check(request.log.source.files)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="penchant-rounds-") as rounds,
            step_bars(console, TimeRemainingColumn()) as progress,
        ):
            clock = slow_clock.make(Path(rounds), request.seed)
            evaluation = run_evaluation(
                replace(request, slow_clock=clock), on_log=log_printer(console), progress=progress
            )
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        return 128 + signal.SIGINT
    for table in tables(evaluation.summaries):
        console.print(rendered(table))
    seconds = time.monotonic() - began
    _write(console, replace(request, slow_clock=clock), output, evaluation, seconds)
    _print_next_steps(console, request, output, evaluation, seconds)
    if evaluation.alarm:
        console.say(f"Warning: {printable(evaluation.alarm)}", "yellow")
    return 0


def _write(
    console: Terminal,
    request: EvaluationRequest,
    output: EvaluationOutput,
    evaluation: Evaluation,
    seconds: float,
) -> None:
    if output.json is None and output.report is None:
        return
    from penchant.evaluation.evaluation_origin import origin_of
    from penchant.evaluation.evaluation_report import numbers, report

    origin = origin_of(request, evaluation.stream, current_line())
    files = []  # All content is made before the first file is written.
    if output.json is not None:
        files.append(("Numbers", output.json, as_json(numbers(evaluation, origin, seconds))))
    if output.report is not None:
        files.append(("Report", output.report, report(evaluation, origin, seconds)))
    for kind, path, text in files:
        write_whole(path, text)
        console.say(f"{kind}: {path}")


def _print_next_steps(
    console: Terminal,
    request: EvaluationRequest,
    output: EvaluationOutput,
    evaluation: Evaluation,
    seconds: float,
) -> None:
    lines = [f"Done in {seconds:.0f} s. Try next:"]
    if evaluation.targets.seen > len(evaluation.targets.positions):
        lines.append(
            "  --candidates all            most relevant events are about items seen before"
        )
    if not request.refresh:
        lines.append("  --refresh                   vectors and weights that learn from the log")
    if not request.baselines:
        lines.append("  --peers all                 compares with what you could use instead")
    if output.report is None:
        lines.append("  --report report.html        plots, for a browser")
    if request.log.source.dataset:
        lines.append("  --items F --events F        your own log")
    lines.append("  --set fast_weight=0         shows what a setting adds; any model setting works")
    console.say("\n".join(lines))
