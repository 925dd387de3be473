"""Tells where the signals of a log stand if no column has a usual name for them.

They may stand in a column of yes and no, or in one of few words: beside values that most rows
lack, since rows of another signal have none, or because the words are usual signals. A column of
values that is left unread is named, for it may turn the meaning of its row round.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

from penchant.logs.cells import printable
from penchant.logs.column_looks import ColumnLook
from penchant.logs.columns import RATING, EventColumns
from penchant.logs.guessed_columns import Looks
from penchant.logs.known_columns import folded, is_attribute
from penchant.logs.usual_signals import ANSWERS, answer_of, usual_signal

LIKE = "like"
"""The signal of a log that names none."""

_MANY = 0.5
"""Share of usual signals above which a column of words is one of signals."""


def with_guessed_signals(
    columns: EventColumns,
    named: EventColumns,
    names: Collection[str],
    looks: Looks,
    say: Callable[[str], None],
) -> EventColumns:
    """Returns the columns with a source of signals, unless there is one.

    Args:
        columns: what was found by names.
        named: what the user named.
        names: the columns of the file.
        looks: what stands in the columns that nobody reads yet, and in that of values.
        say: called with each assumption.
    """
    if named.constant_signal or named.signal != "signal" or columns.signal in names:
        return columns
    unread = {name: look for name, look in looks.items() if not columns.reads(name)}
    answers = [name for name, look in unread.items() if _answers(name, look)]
    if len(answers) == 1:
        yes, no = ANSWERS[folded(answers[0])]
        say(
            f"The signal is told by the column {printable(answers[0])}: yes is a {yes}, no a "
            f"{no}. --signal-column or --signal says otherwise."
        )
        return dataclasses.replace(columns, answer=answers[0], constant_signal="")
    if column := _of_words(columns, unread, looks.get(columns.value)):
        say(
            f"The signal is the column {printable(column)}, with the words "
            f"{_few(unread[column].counts)}. --signal-column or --signal says otherwise."
        )
        return dataclasses.replace(columns, signal=column, constant_signal="")
    if named.value != "value" and columns.value in names:
        say(f"Each row counts as a {RATING} with the value of the column {printable(named.value)}.")
        return dataclasses.replace(columns, constant_signal=RATING)
    if not columns.constant_signal:
        say(f"The events have no column of signals: each row counts as a {LIKE}.")
        return dataclasses.replace(columns, constant_signal=LIKE)
    return columns


def unread_values(columns: EventColumns, looks: Looks) -> str:
    """Names the columns of values that are not read, and how to read one; empty: there are none."""
    has_value = columns.value in looks
    shown = [
        f"{printable(name)} ({span})"
        for name, look in looks.items()
        if not columns.reads(name)
        and not is_attribute(name)
        and (span := _span_of(look, numbers=not has_value))
    ]
    if not shown:
        return ""
    return (
        f"Not read: {', '.join(shown)}. Where one says how much a user liked an item, "
        "--map COLUMN=value reads it; where one marks returns or skips, it turns the meaning of "
        "its rows round: give them a signal of their own."
    )


def _span_of(look: ColumnLook, *, numbers: bool) -> str:
    """What a column of values holds, in words; empty: it is none."""
    if look.are_booleans:
        return "yes or no" if look.distinct > 1 else ""
    values = look.numbers
    if not numbers or not values or look.distinct < 2 or not look.comes_again:
        return ""
    return f"{min(values):g} to {max(values):g}"


def _answers(name: str, look: ColumnLook) -> bool:
    """Whether a column holds yes and no under a name that says what they mean."""
    texts = look.counts
    return folded(name) in ANSWERS and bool(texts) and None not in map(answer_of, texts)


def _of_words(columns: EventColumns, unread: Looks, value: ColumnLook | None) -> str:
    """The one column of few words that holds the signals; empty: none or several do."""
    words = {
        name: look for name, look in unread.items() if look.are_words and not is_attribute(name)
    }
    if value is not None and not value.is_sparse:
        return ""  # Each row is a rating.
    usual = [name for name, look in words.items() if _are_usual(look)]
    if len(usual) == 1:
        return usual[0]
    several = [name for name, look in words.items() if look.distinct > 1]
    return several[0] if value is not None and not usual and len(several) == 1 else ""


def _are_usual(look: ColumnLook) -> bool:
    """Whether most words, and those of most rows, are usual signals: `love` is a genre too."""
    usual = [count for text, count in look.counts.items() if usual_signal(text) is not None]
    return len(usual) > _MANY * look.distinct and sum(usual) > _MANY * look.filled


def _few(words: Collection[str], most: int = 6) -> str:
    shown = ", ".join(map(printable, list(words)[:most]))
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"
