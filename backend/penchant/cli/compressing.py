"""What the commands share that make an encoder smaller: the judge, and how a change is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.cli.gating import REFUSED
from penchant.cli.logs import read_log
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.logs.log_source import LogSource
from penchant.logs.stream import first_events
from penchant.training.compress.encoder_comparison import BudgetExceeded, Change, Judge

MAX_RANKINGS = 4000
"""Of the validation part, so that a search with many looks takes minutes."""


def judge_of(
    console: Console,
    source: LogSource,
    config: Config,
    relevant: str,
    fraction: float,
    of_log: float = 1.0,
) -> Judge:
    """A judge on the newest part of a log, or of its oldest share `of_log`.

    Raises:
        ConfigError: the log does not do, or a share is out of its range.
    """
    if not 0 < of_log <= 1:
        raise ConfigError(f"--log-fraction: got {of_log}, expected above 0 to 1")
    with console.status("Reading the log"):
        hit = relevant or source.default_relevance
        stream = read_log(console, source, config.signals, hit, "nothing to measure on")
    stream = first_events(stream, int(of_log * len(stream.events)))
    return Judge(stream, fraction, MAX_RANKINGS, config)


@contextmanager
def refusals(console: Console) -> Iterator[None]:
    """Where the budget refuses, says so and ends the command with the status of `penchant gate`."""
    try:
        yield
    except BudgetExceeded as refused:
        console.print(Text(str(refused), "red"), soft_wrap=True)
        raise typer.Exit(REFUSED) from None


def change_table(change: Change) -> Table:
    """Before and after, as people read it."""
    before, after = change.before, change.after
    table = Table("", "before", "after", "", box=SIMPLE_HEAD)
    interval = f"{change.loss:+.1%} lost ({change.low:+.1%} to {change.high:+.1%})"
    table.add_row("NDCG@10", f"{before.ndcg:.4f}", f"{after.ndcg:.4f}", interval)
    table.add_row("recall@10", f"{before.recall:.4f}", f"{after.recall:.4f}", "")
    cosine = f"least {change.cosine_least:.4f}"
    table.add_row("cosine", "1", f"{change.cosine_mean:.4f}", cosine)
    sizes = [f"{one.size_bytes / 1e6:.1f} MB" for one in (before, after)]
    table.add_row("size", *sizes, f"{after.size_bytes / before.size_bytes:.2f} ×")
    speeds = [f"{one.texts_per_s:,.0f} / s" for one in (before, after)]
    table.add_row("texts together", *speeds, f"{change.faster:.2f} ×")
    alone = [f"{1000 * one.alone_s:.2f} ms" for one in (before, after)]
    table.add_row("one text alone", *alone, f"{before.alone_s / after.alone_s:.2f} × as fast")
    return table
