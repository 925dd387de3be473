"""Rows of the benchmark's table: each measure, its comparison and its target."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.machine import ProcessMemory
from benchmarks.rounds import Series, compare
from benchmarks.table import RatioRow, RatioTarget

AT_MOST_1_2 = RatioTarget("<=", 1.2)
AT_MOST_1_3 = RatioTarget("<=", 1.3)
AT_MOST_1_8 = RatioTarget("<=", 1.8)
AT_MOST_2_5 = RatioTarget("<=", 2.5)
AT_LEAST_0_75 = RatioTarget(">=", 0.75)
AT_LEAST_0_5 = RatioTarget(">=", 0.5)
AT_MOST_1 = RatioTarget("<=", 1.0)
SEARCH_FACTOR = 1.1
"""Multiple of NumPy's time that a search may take, besides the floor."""


def rows_of(
    series: Mapping[str, Series],
    few: Mapping[str, ProcessMemory],
    many: Mapping[str, ProcessMemory],
    users: tuple[int, int],
) -> list[RatioRow]:
    """All rows, those with a target first.

    Args:
        series: results of the measures in `floor.py`, by name.
        few: memory of the server with few users, by process.
        many: memory of the server with many users, by process.
        users: numbers of users of the two servers.
    """
    return [*_with_targets(series, users), *_without_targets(series), *_memory(few, many, users)]


def _with_targets(series: Mapping[str, Series], users: tuple[int, int]) -> list[RatioRow]:
    floor = series["floor, alone"]
    few, many = (f"{number:,} users" for number in users)
    return [
        compare("rank of 100, p50 alone", "ms", series["rank, alone"], floor, "floor", AT_MOST_1_3),
        compare(
            "rank of 100, 16 clients",
            "/s",
            series["rank, 16 clients"],
            series["floor, 16 clients"],
            "floor",
            AT_LEAST_0_75,
        ),
        compare(
            "rank with a fold, p50 alone",
            "ms",
            series["rank with a fold, alone"],
            floor,
            "floor",
            AT_MOST_1_8,
        ),
        compare(
            "rank with a fold of 256, p50 alone",
            "ms",
            series["rank with a fold of 256, alone"],
            floor,
            "floor",
            AT_MOST_2_5,
        ),
        compare(
            "feedback, 32 clients",
            "/s",
            series["feedback, 32 clients"],
            series["floor, 32 clients"],
            "floor",
            AT_LEAST_0_5,
        ),
        compare(
            "top 10 of the catalog, p50 alone",
            "ms",
            series["search, alone"],
            series["NumPy alone"],
            "1.1 x NumPy + floor",
            AT_MOST_1,
            factor=SEARCH_FACTOR,
            added=floor,
        ),
        *(
            compare(
                f"{verb}, p50 alone, {many}",
                "ms",
                series[f"{verb}, many users"],
                series[f"{verb}, few users"],
                few,
                AT_MOST_1_2,
            )
            for verb in ("rank", "feedback")
        ),
    ]


def _without_targets(series: Mapping[str, Series]) -> list[RatioRow]:
    floor = series["floor, alone"]
    rows = [compare("rank of 500, p50 alone", "ms", series["rank of 500, alone"], floor, "floor")]
    if "rank in process, native" in series:
        native, numpy = (series[f"rank in process, {name}"] for name in ("native", "NumPy"))
        rows.append(compare("native against NumPy path, in process", "ms", native, numpy, "NumPy"))
    return rows + [
        RatioRow(name, values.quantile(0.5), "ms", p99=values.quantile(0.99))
        if values.all_ms
        else RatioRow(name, values.middle, "/s")
        for name, values in series.items()
    ]


def _memory(
    few: Mapping[str, ProcessMemory], many: Mapping[str, ProcessMemory], users: tuple[int, int]
) -> list[RatioRow]:
    rows = []
    for name in sorted(few.keys() & many.keys()):
        for kind in ("resident", "own"):
            less, more = getattr(few[name], kind), getattr(many[name], kind)
            label = f"{name}, {kind} memory, {users[1]:,} users"
            ratio = more / less if less else None
            rows.append(RatioRow(label, more, "MB", less, f"{users[0]:,} users", ratio))
    return rows
