"""Measured ratios and their targets, as tables on the terminal and as JSON."""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

_HOLDS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class RatioTarget:
    """A bound on a ratio."""

    sign: str
    """Comparison that the ratio must satisfy, <= or >=."""
    bound: float

    def met(self, ratio: float) -> bool:
        """Whether a ratio meets the target."""
        return bool(_HOLDS[self.sign](ratio, self.bound))

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class RatioRow:
    """One row of the tables."""

    name: str
    measured: float
    unit: str
    peer: float | None = None
    """Value to compare with, in the same unit."""
    peer_name: str = ""
    ratio: float | None = None
    """measured / peer as the median over the rounds, which may differ from the ratio of medians."""
    target: RatioTarget | None = None
    p99: float | None = None
    """p99 of a latency; `measured` is then the p50."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.target is None or self.ratio is None:
            return None
        return self.target.met(self.ratio)


def render(rows: Sequence[RatioRow], notes: Sequence[str], console: Console) -> None:
    """Prints the rows with a target, the other rows, and the notes."""
    console.print(_with_targets([row for row in rows if row.target is not None]))
    console.print(_without_targets([row for row in rows if row.target is None]))
    for note in notes:
        console.print(f"- {note}", markup=False, highlight=False, soft_wrap=True)


def _with_targets(rows: Sequence[RatioRow]) -> Table:
    table = Table("what", title="Penchant against the floor", title_justify="left")
    for column in ("measured", "against", "ratio", "target"):
        table.add_column(column, justify="right")
    table.add_column("met")
    for row in rows:
        table.add_row(
            row.name,
            f"{_number(row.measured)} {row.unit}",
            f"{row.peer_name} {_number(row.peer)} {row.unit}" if row.peer is not None else "",
            f"{row.ratio:.2f}" if row.ratio is not None else "",
            str(row.target),
            "[green]yes[/]" if row.met else "[red]no[/]",
        )
    return table


def _without_targets(rows: Sequence[RatioRow]) -> Table:
    table = Table("what", title="All numbers", title_justify="left")
    for column in ("measured", "p99", "against"):
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(
            row.name,
            f"{_number(row.measured)} {row.unit}",
            f"{_number(row.p99)} {row.unit}" if row.p99 is not None else "",
            f"{row.peer_name} {_number(row.peer)} {row.unit}" if row.peer is not None else "",
        )
    return table


def write_json(path: Path, rows: Sequence[RatioRow], notes: Sequence[str]) -> None:
    """Writes rows, verdicts and notes as JSON."""
    content = {
        "rows": [
            {**asdict(row), "target": str(row.target) if row.target else None, "met": row.met}
            for row in rows
        ],
        "notes": list(notes),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def missed(rows: Sequence[RatioRow]) -> list[str]:
    """Names of the rows that miss their target."""
    return [row.name for row in rows if row.met is False]


def _number(value: float) -> str:
    """A number with about three significant digits.

    >>> _number(4321.5), _number(43.21), _number(0.4321)
    ('4,322', '43.2', '0.432')
    """
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"
