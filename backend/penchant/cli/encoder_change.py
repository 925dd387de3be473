"""Prints an encoder before and after compression, for `penchant prune` and `penchant quantize`."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from penchant.cli.judging import REFUSED
from penchant.report.terminal import Terminal
from penchant.training.compress.encoder_comparison import EncoderComparison, LossBudgetExceeded


def show_refusal(console: Terminal, refused: LossBudgetExceeded) -> int:
    """Prints why an encoder was refused, and returns the command's exit status."""
    console.print(Text(str(refused), "red"), soft_wrap=True)
    return REFUSED


def change_table(change: EncoderComparison) -> Table:
    """The figures of an encoder before and after, as a table."""
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
    table.add_row("texts together", *speeds, f"{change.speedup:.2f} ×")
    alone = [f"{1000 * one.alone_s:.2f} ms" for one in (before, after)]
    table.add_row("one text alone", *alone, f"{before.alone_s / after.alone_s:.2f} × as fast")
    return table
