"""Tables of text, rendered on a terminal or on an HTML page."""

from __future__ import annotations

from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class TextTable:
    """A title, column headings and rows; the first column holds names, the others numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def rendered(table: TextTable) -> Table:
    """The table for a terminal: names aligned left, numbers right; no text is read as markup."""
    shown = Table(
        title=Text(table.title, style="bold"),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),  # So that a name and five numbers with intervals fit 80 columns.
        pad_edge=False,
    )
    for place, column in enumerate(table.columns):
        is_number = place > 0
        shown.add_column(
            Text(column),
            justify="right" if is_number else "left",
            no_wrap=is_number,
            overflow="fold",
        )
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    return shown
