"""The shape of a CSV file, found in its first rows: delimiter, and whether there is a heading."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penchant.logs.cells import BadRow, is_separated_number, time_us_of
from penchant.logs.known_columns import is_known

DELIMITERS = ",;\t|"
COMMENT = "#"
DOUBLE_COLON = "::"
"""Delimiter of MovieLens's `.dat` files, which quote nothing."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
_UNNAMED = re.compile(r"Unnamed: \d+|__index_level_\d+__")
_MOVIELENS = {
    4: ("user_id", "item_id", "rating", "timestamp"),
    3: ("item_id", "title", "genres"),
}


def delimiter_of(line: str, expected: str = "") -> str:
    r"""Returns the delimiter of a file: the expected one, else the one that its first line shows.

    >>> delimiter_of("user;item;rating (0,5)"), delimiter_of('"a;b",c'), delimiter_of("1::2::5::9")
    (';', ',', '::')
    >>> delimiter_of("user,item", "\t")
    ','
    """
    bare = _QUOTED.sub("", line)
    if expected and expected in bare:
        return expected
    places = {one: bare.find(one) for one in (*DELIMITERS, DOUBLE_COLON) if one in bare}
    return min(places, key=places.__getitem__, default=expected or ",")


def delimiter_of_sep_line(line: str) -> str:
    """Returns the delimiter that a first line of Excel's names; empty: it is no such line.

    >>> delimiter_of_sep_line("sep=;"), delimiter_of_sep_line("user;item")
    (';', '')
    """
    found = _SEP_LINE.match(line)
    return found[1] if found else ""


def is_marked_heading(line: str, following: str, expected: str = "") -> bool:
    """Whether a line that begins with `#` is the heading of the rows behind it, and no comment.

    >>> is_marked_heading("#user,item,ts", "ann,tent,2024-05-01")
    True
    >>> is_marked_heading("# rows: 3000, by CRM", "user,item,ts")
    False
    """
    if not following:
        return True
    delimiter = delimiter_of(following, expected)
    cells = following.split(delimiter)
    return len(cells) == len(line.split(delimiter)) and looks_like_data(cells)


def looks_like_data(cells: Sequence[str]) -> bool:
    """Whether a first row holds data, not names: a number or a time, and not two known names.

    >>> looks_like_data(["u1", "i1", "rating", "5"]), looks_like_data(["id", "title", "2019"])
    (True, False)
    """
    return any(map(_is_number_or_time, cells)) and sum(map(is_known, cells)) < 2


def column_names(heading: Sequence[str]) -> list[str]:
    """Returns the names of a heading; empty where a column has none, as an index of pandas."""
    names = [name.strip() for name in heading]
    return ["" if _UNNAMED.fullmatch(name) else name for name in names]


def names_by_place(cells: Sequence[str], delimiter: str) -> list[str]:
    """Returns names for the columns of a file without a heading: their places, from 1.

    Those of MovieLens's `ratings.dat` and `movies.dat` are known.
    """
    known = _MOVIELENS.get(len(cells))
    numbers = [_is_number_or_time(cell) for cell in cells]
    if delimiter == DOUBLE_COLON and known and numbers[0] and (len(cells) == 3 or all(numbers)):
        return list(known)
    return [str(place) for place in range(1, len(cells) + 1)]


def _is_number_or_time(cell: str) -> bool:
    if not cell.strip():
        return False
    if is_separated_number(cell):
        return True
    try:
        time_us_of(cell, "us")
    except BadRow:
        return False
    return True
