"""Tables of text as the terminal shows them."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from penchant.evaluation.result_tables import TextTable


def rendered(table: TextTable) -> Table:
    """A table for the terminal, with names to the left and numbers to the right."""
    rendered = Table(
        title=table.title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 0, 0, 1),  # A name and five numbers with intervals fit into 80 columns.
        pad_edge=False,
    )
    for index, column in enumerate(table.columns):
        numbers = index > 0
        rendered.add_column(
            Text(column),
            justify="right" if numbers else "left",
            no_wrap=numbers,
            overflow="fold",
        )
    for row in table.rows:
        rendered.add_row(*(Text(cell) for cell in row))
    return rendered
