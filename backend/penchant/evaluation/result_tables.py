"""Summaries as tables of text, for the terminal and for the HTML page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from penchant.evaluation.metrics import MeanInterval
from penchant.evaluation.summary import Slice, Summary
from penchant.report.text_table import TextTable


def tables(summaries: Sequence[Summary]) -> list[TextTable]:
    """All tables of an evaluation, from one summary or more."""
    found = [_quality(summaries)]
    if len(summaries) > 1:
        found.append(_behind(summaries))
    recalls, gains = _with_prefix(summaries, "recall@"), _with_prefix(summaries, "NDCG@")
    for name in (recalls[0], gains[0]):
        title = f"{name} by events that the user had before (rankings)"
        found.append(_slices(title, name, summaries, lambda one: one.by_earlier))
    for name in recalls:
        title = f"{name} by events that the item had before (rankings)"
        found.append(_slices(title, name, summaries, lambda one: one.by_item_age))
    return [*found, _exposure(summaries), _speed(summaries)]


def _with_prefix(summaries: Sequence[Summary], prefix: str) -> list[str]:
    return [name for name in summaries[0].overall.quality if name.startswith(prefix)]


def _quality(summaries: Sequence[Summary]) -> TextTable:
    overall = summaries[0].overall
    names = list(overall.quality)
    title = f"{overall.rankings:,} rankings for {overall.users:,} users, 95 % intervals by user"
    rows = [
        [one.name, *(with_interval(one.overall.quality[name]) for name in names)]
        for one in summaries
    ]
    return TextTable(title, ["", *names], rows)


def _behind(summaries: Sequence[Summary]) -> TextTable:
    first, *others = summaries
    names = list(first.overall.quality)
    rows = [
        [one.name, *(with_interval(one.behind_first[name], sign="+") for name in names)]
        for one in others
    ]
    return TextTable(f"{first.name} minus each, on the same resampled users", ["", *names], rows)


def _slices(
    title: str, metric: str, summaries: Sequence[Summary], of: Callable[[Summary], list[Slice]]
) -> TextTable:
    columns = ["", *(f"{part.label}\n({part.rankings:,})" for part in of(summaries[0]))]
    rows = [
        [one.name, *(with_interval(part.quality[metric]) for part in of(one))] for one in summaries
    ]
    return TextTable(title, columns, rows)


def _exposure(summaries: Sequence[Summary]) -> TextTable:
    columns = ["", "coverage", "novelty, bits", "Gini", "miscalibration, bits"]
    rows = []
    for one in summaries:
        numbers = [f"{one.novelty_bits:.2f}", f"{one.gini:.3f}", f"{one.miscalibration_bits:.3f}"]
        shown = ["–" if number == "nan" else number for number in numbers]
        rows.append([one.name, f"{one.coverage:.1%}", *shown])
    return TextTable("What the top tens show", columns, rows)


def _speed(summaries: Sequence[Summary]) -> TextTable:
    columns = ["", "ranking p50", "p99", "update p50", "p99", "fits", "all fits"]
    rows = []
    for one in summaries:
        times = (one.ranking.p50_ms, one.ranking.p99_ms, one.update.p50_ms, one.update.p99_ms)
        seconds = sum(seconds for _, seconds in one.fits)
        cells = [f"{time:.3f} ms" for time in times]
        rows.append([one.name, *cells, str(len(one.fits)), f"{seconds:.1f} s"])
    return TextTable("Time, in process", columns, rows)


def with_interval(interval: MeanInterval, sign: str = "") -> str:
    """A mean and half the width of its interval, as text.

    >>> with_interval(MeanInterval(0.1571, 0.151, 0.163))
    '0.157±.006'
    >>> with_interval(MeanInterval(math.nan, math.nan, math.nan))
    '–'
    """
    if math.isnan(interval.mean):
        return "–"
    half = f"{(interval.high - interval.low) / 2:.3f}".removeprefix("0")
    return f"{interval.mean:{sign}.3f}±{half}"
