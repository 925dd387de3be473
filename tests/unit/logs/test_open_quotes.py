"""A quote that is not closed costs its own line and no other, and is never passed over."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.open_table import open_table
from penchant.logs.table_file import TableFile


def table_of(path: Path, lines: list[str], end: str = "\n", *, recovers: bool = True) -> TableFile:
    content = end.join([*lines, ""]).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return open_table(path, recovers=recovers)


def read(table: TableFile) -> tuple[dict[int, dict[str, object]], dict[int, str]]:
    """Rows by line, and reasons by line."""
    rows, reasons = {}, {}
    with table:
        for batch in table.batches(rows=7):
            assert batch.line is not None
            for position, line in enumerate(batch.line.tolist()):
                if position in batch.unreadable:
                    reasons[line] = batch.unreadable[position].reason
                else:
                    rows[line] = batch.values(position)
    return rows, reasons


FILMS = ["id,text,year", *(f"q{number},film {number},1995" for number in range(2, 500))]


def films(line: int, text: str) -> list[str]:
    """499 lines, of which one is another."""
    return [*FILMS[: line - 1], text, *FILMS[line:]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["films.csv", "films.csv.gz"])
@pytest.mark.parametrize(
    "line", ['q5,"12 Angry Men,1957', 'q5,film,"1957', '"q5,film,1957', 'q5,"a ""b,1957']
)
def test_a_quote_without_an_end_costs_its_line_alone(
    tmp_path: Path, line: str, name: str, end: str
) -> None:
    rows, reasons = read(table := table_of(tmp_path / name, films(5, line), end))
    assert list(reasons) == [5]
    assert "the quote that opens here is not closed" in reasons[5]
    assert sorted([*rows, 5]) == list(range(2, 500))
    assert rows[6] == {"id": "q6", "text": "film 6", "year": "1995"}
    assert table.open_quotes == 1


@pytest.mark.parametrize(
    "end", ['q21,Twelve "Monkeys",1995', 'q21,Twelve Monkeys",1995', 'q21,film,1995"']
)
@pytest.mark.parametrize("start", ['q5,"12 Angry Men,1957', 'q5,film,"1957'])
def test_a_later_quote_that_closes_it_makes_no_row_of_many(
    tmp_path: Path, start: str, end: str
) -> None:
    lines = films(5, start)
    lines[20] = end
    rows, reasons = read(table := table_of(tmp_path / "films.csv", lines))
    assert 5 in reasons
    assert "the quote that opens here" in reasons[5]
    assert sorted([*rows, *reasons]) == list(range(2, 500))
    assert len(rows) >= 496
    assert table.open_quotes == 1


def test_two_columns_are_enough_to_see_it(tmp_path: Path) -> None:
    lines = ["id,text", 'q2,"12 Angry Men', "q3,Heat", "q4,Fargo", 'q5,Alien"', "q6,Up"]
    rows, reasons = read(table_of(tmp_path / "films.csv", lines))
    assert (list(rows), list(reasons)) == ([3, 4, 5, 6], [2])


@pytest.mark.parametrize("text_first", [True, False])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_it_is_seen_in_whatever_column_and_with_any_delimiter(
    tmp_path: Path, delimiter: str, text_first: bool
) -> None:
    rows = [[f"film {chr(60 + number)}", str(number)] for number in range(5, 40)]
    rows[3][0], rows[17][0] = '"12 Angry Men', 'Heat"'
    rows = [["text", "id"], *rows]
    lines = [delimiter.join(row if text_first else row[::-1]) for row in rows]
    got, reasons = read(table_of(tmp_path / "films.csv", lines))
    assert list(reasons) == [5]
    assert sorted([*got, 5]) == list(range(2, 37))


@pytest.mark.parametrize("width", [2, 3, 5])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_descriptions_of_several_lines_are_read_as_they_are(
    tmp_path: Path, end: str, width: int
) -> None:
    texts = [
        "Roses are red,\nviolets are blue,\nsugar is sweet,\nand so are you.",
        'He said, "go"\nand went, slowly.\n\n- one, two\n- three',
        "One\nTwo\nThree",
        '{\n  "a": 1,\n  "b": 2\n}',
        "Hot, cold\nand wet, dry\nand more, less",
    ] * 20
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end)
    rest = ["x"] * (width - 2)
    writer.writerow(["id", "text", *rest][:2] + [f"c{n}" for n in range(width - 2)])
    writer.writerows([f"q{number}", text, *rest] for number, text in enumerate(texts))
    (tmp_path / "films.csv").write_text(out.getvalue(), newline="")
    rows, reasons = read(open_table(tmp_path / "films.csv"))
    assert not reasons
    assert [row["text"] for row in rows.values()] == texts


def test_a_quote_in_the_middle_of_a_field_is_a_letter(tmp_path: Path) -> None:
    lines = ["id,text", 'q2,5" disk', "q3,Heat", 'q4,3.5" disk', "q5,Up"]
    rows, reasons = read(table_of(tmp_path / "films.csv", lines))
    assert not reasons
    assert [row["text"] for row in rows.values()] == ['5" disk', "Heat", '3.5" disk', "Up"]


def test_a_command_that_reads_a_log_refuses_the_file_and_names_the_line(tmp_path: Path) -> None:
    table = table_of(tmp_path / "films.csv", films(5, 'q5,"12 Angry Men,1957'), recovers=False)
    with table, pytest.raises(ConfigError, match=r"films\.csv, line 5: the quote that opens here"):
        list(table.batches())


def test_a_quote_in_the_heading_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the heading of films\.csv can't be read"):
        table_of(tmp_path / "films.csv", ['id,"text,year', *FILMS[1:]])


def test_a_row_of_very_many_lines_is_worth_a_warning(tmp_path: Path) -> None:
    verse = "\n".join(["and so on, he said"] * 200)
    table = table_of(tmp_path / "films.csv", ["id,text", f'q2,"{verse}"', "q3,Heat"])
    rows, reasons = read(table)
    assert (len(rows), reasons) == (2, {})
    assert table.warnings == [
        "the row on lines 2 to 201 of films.csv is long; is a quote not closed?"
    ]


def test_a_field_is_followed_no_farther_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.logs.csv_table._FIELD_BYTES", 200)
    table = table_of(tmp_path / "films.csv", films(5, 'q5,"12 Angry Men,1957'))
    longest = 0
    with table:
        for batch in table.batches(rows=1):
            longest = max(longest, len(table._again))  # type: ignore[attr-defined]  # Its memory.
            assert len(batch) == 1
    assert 0 < longest < 20


def test_quotes_that_are_not_closed_cost_no_more_than_one_reading_each(tmp_path: Path) -> None:
    lines = ["id,text,year", *(f'q{n},"film {n},1995' for n in range(2, 2000))]
    table = table_of(tmp_path / "films.csv", lines)
    rows, reasons = read(table)
    assert sorted([*rows, *reasons]) == list(range(2, 2000 + 1))[: len(rows) + len(reasons)]
    assert table.open_quotes > 900


@pytest.mark.parametrize("line", ['q499,"film,1995', '"q499,film,1995', 'q499,film,"1995'])
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_quote_that_the_last_line_leaves_open_counts_as_any_other(
    tmp_path: Path, line: str, end: str
) -> None:
    path = tmp_path / "films.csv"
    path.write_text("\n".join([*FILMS[:-1], line]) + end)
    rows, reasons = read(table := open_table(path, recovers=True))
    assert (list(reasons), len(rows), table.open_quotes) == ([499], 497, 1)
    with pytest.raises(ConfigError, match=r"line 499: the quote that opens here is not closed"):
        read(open_table(path))


def test_a_quote_that_the_heading_leaves_open_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"heading of films\.csv can't be read: a quote in it"):
        table_of(tmp_path / "films.csv", ['"id,text', "q1,film"])
