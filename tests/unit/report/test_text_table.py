"""Tables on a terminal: every cell in full, names left, numbers right, no markup."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from penchant.report.terminal import Terminal
from penchant.report.text_table import TextTable, rendered

WORD = st.text("abcxyz[]/0123456789.±", min_size=1, max_size=12)


def printed(table: TextTable, width: int = 200) -> list[str]:
    """The lines that a terminal of this width shows."""
    console = Terminal(file=io.StringIO(), width=width)
    console.print(rendered(table))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@given(WORD, st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=5))
def test_every_cell_is_shown_as_it_is(title: str, rows: list[tuple[str, str, str]]) -> None:
    table = TextTable(title, ["name", "first", "second"], [list(row) for row in rows])
    lines = printed(table)
    assert lines[0].strip() == title
    body = [line.split() for line in lines if line.split() in [list(row) for row in rows]]
    assert body == [list(row) for row in rows]


def test_names_are_aligned_left_and_numbers_right() -> None:
    table = TextTable("T", ["name", "n"], [["a", "1"], ["longer", "1000"]])
    *_, short, long, _ = printed(table)
    assert short.index("a") == long.index("longer")
    assert len(short.rstrip()) == len(long.rstrip())


def test_a_name_and_five_numbers_with_intervals_fit_80_columns() -> None:
    number = "+0.1234±.0123"
    table = TextTable("T", ["name", *"abcde"], [["Penchant", *[number] * 5]])
    lines = printed(table, width=80)
    assert any(line.count(number) == 5 for line in lines)


def test_a_long_name_is_folded_and_a_number_never_is() -> None:
    name, number = "n" * 60, "1" * 20
    lines = printed(TextTable("T", ["name", "n"], [[name, number]]), width=40)
    assert "".join(lines).count("n") == len(name) + 2  # Two more in the headings.
    assert sum(number in line for line in lines) == 1
    assert "…" not in "".join(lines)
