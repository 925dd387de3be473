"""What `penchant evaluate` does with its options: read, replay with progress, show, write."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from penchant.cli.logs import read_log
from penchant.config import Config
from penchant.encoder.source import default_source
from penchant.evaluation.holdout import hold_out
from penchant.evaluation.result_tables import tables
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.log_source import LogSource
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.report.chart import require_matplotlib
from penchant.report.page import as_json, check_writable
from penchant.report.text_table import rendered
from penchant.system.durable_file import write_whole

if TYPE_CHECKING:
    from penchant.evaluation.evaluate import Result
    from penchant.evaluation.recommender import Recommender
    from penchant.training.slow_clock import SlowClock

GENRES = "genres"

_STEP = 50


@dataclass(frozen=True, slots=True)
class Finetuning:
    """What the user chose of the slow clock."""

    dimensions: int
    every: int
    """Events between two rounds; 0: one round alone."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose."""

    source: LogSource
    config: Config
    peers: str
    plan: ReplayConfig
    refresh: RefreshSettings | None
    """How the middle clock runs besides the per-event one; None: not at all."""
    finetune: Finetuning | None
    """How the slow clock runs; None: the encoder stays."""
    relevant: str
    hold_out_items: float
    """Share of the items that come only when training ends."""
    ks: list[int]
    seed: int
    attribute: str
    keep: Path | None
    """Where finished peers' results are; None: nowhere."""
    json: Path | None
    report: Path | None


def run(console: Console, choices: Choices) -> None:
    """Evaluates, shows the tables and writes the files; ConfigError where a choice is wrong."""
    with tempfile.TemporaryDirectory(prefix="penchant-rounds-") as rounds:
        _run(console, choices, Path(rounds))


def _run(console: Console, choices: Choices, rounds: Path) -> None:
    began = time.monotonic()
    _check_outputs(choices)
    peers = _peers(choices)
    relevant = choices.relevant or choices.source.default_relevance
    with console.status("Reading ..."):
        stream = read_log(
            console, choices.source, choices.config.signals, relevant, "nothing to evaluate"
        )
        stream, plan = hold_out(stream, choices.plan, choices.hold_out_items, choices.seed)
    with console.status(f"Encoding {len(stream.items):,} texts ..."):
        # Only here: ONNX Runtime is loaded by it.
        from penchant.evaluation.evaluate import evaluate
        from penchant.evaluation.penchant import PenchantRecommender, middle_clock
        from penchant.evaluation.result_cache import ResultCache

        clock = None if choices.refresh is None else middle_clock(choices.refresh)
        ours = PenchantRecommender.load(choices.config, stream, clock, _slow_clock(choices, rounds))
        keep, seed = choices.keep, choices.seed
        kept = None if keep is None else ResultCache(keep, stream, plan, seed)
    with _progress(console, stream, plan) as on_event:
        result = evaluate(
            stream,
            plan,
            ours,
            peers,
            choices.ks,
            choices.seed,
            choices.attribute or (GENRES if choices.source.dataset else ""),
            on_event,
            kept,
        )
    for table in tables(result.summaries):
        console.print(rendered(table))
    seconds = time.monotonic() - began
    _write(console, choices, result, {"relevant": relevant, "seconds": round(seconds, 1)})
    _what_next(console, choices, result, seconds)


def _check_outputs(choices: Choices) -> None:
    if choices.json is not None:
        check_writable(choices.json, "--json")
    if choices.report is not None:
        check_writable(choices.report, "--report")
        require_matplotlib("--report")


def _slow_clock(choices: Choices, rounds: Path) -> SlowClock | None:
    if choices.finetune is None:
        return None
    from penchant.training.slow_clock import SlowClock

    chosen = choices.finetune
    return SlowClock(default_source(), rounds, chosen.dimensions, chosen.every, choices.seed)


def _peers(choices: Choices) -> list[Recommender]:
    if not choices.peers:
        return []
    # Only here: some of them load PyTorch.
    from penchant.evaluation.baselines import NAMES, make

    wanted = NAMES if choices.peers == "all" else [one.strip() for one in choices.peers.split(",")]
    return [make(name, choices.seed) for name in dict.fromkeys(wanted)]


@contextmanager
def _progress(
    console: Console, stream: Stream, plan: ReplayConfig
) -> Iterator[Callable[[str, int], None]]:
    """A bar for each recommender, from when it begins."""
    start, last = plan.start(stream), len(stream.events) - 1
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def on_event(name: str, position: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=last + 1 - start)
            if position % _STEP == 0 or position == last:
                progress.update(tasks[name], completed=position + 1 - start)

        yield on_event


def _write(console: Console, choices: Choices, result: Result, more: dict[str, object]) -> None:
    from penchant.evaluation.evaluate import numbers, report

    files = []  # All is made before anything is written.
    if choices.json is not None:
        files.append(("Numbers", choices.json, as_json(numbers(result, more))))
    if choices.report is not None:
        files.append(("Report", choices.report, report(result, more)))
    for what, path, text in files:
        write_whole(path, text)
        console.print(Text(f"{what}: {path}"), soft_wrap=True)


def _what_next(console: Console, choices: Choices, result: Result, seconds: float) -> None:
    lines = [f"Done in {seconds:.0f} s. Try next:"]
    if result.targets.seen > len(result.targets.positions):
        lines.append(
            "  --candidates all            most relevant events are about items seen before"
        )
    if choices.refresh is None:
        lines.append("  --refresh --set fast_weight=6  item vectors that learn from the log too")
    if not choices.peers:
        lines.append("  --peers all                 the same beside what you could use instead")
    if choices.report is None:
        lines.append("  --report report.html        with plots, for a browser")
    if choices.source.dataset:
        lines.append("  --items F --events F        your own log")
    lines.append("  --set fast_weight=0         what a setting adds; any of the models' settings")
    console.print(Text("\n".join(lines)), soft_wrap=True)
