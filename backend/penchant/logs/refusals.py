"""Rows and events that are refused, with the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from penchant.domain.arrays import Mask
from penchant.logs.cells import number_hint, quoted
from penchant.logs.row_batch import RowBatch

UNREADABLE_ITEMS, UNREADABLE_EVENTS = "unreadable rows of items", "unreadable rows of events"
"""Kinds of what is left out: rows of which no item or event can be made."""
UNKNOWN_ITEMS, KNOWN_ALREADY = "events about unknown items", "events known already"
REFUSED_EVENTS = "events refused"

MUCH = 0.1
"""Share of the rows above which what is left out is said first and last."""

_OTHERWISE = "Mend the rows, or name other columns with --map COLUMN=FIELD."
_WHAT_TO_DO = {
    UNREADABLE_ITEMS: _OTHERWISE,
    UNREADABLE_EVENTS: (
        "Mend the rows, name other columns with --map COLUMN=FIELD, or say how times are written "
        "with --time-unit."
    ),
    UNKNOWN_ITEMS: (
        "Give a file of items that holds them all, or none: without --items, the items are those "
        "that the events name."
    ),
    KNOWN_ALREADY: "Is the column of --event-id-column one of ids?",
    REFUSED_EVENTS: (
        "Say where signals and values stand with --signal-column and --value-column, or what they "
        "mean with the setting signals."
    ),
}
"""The way out of each kind."""


class Refusals:
    """The refused rows of a batch; of several reasons for a row, the first one counts.

    >>> refusals = Refusals(RowBatch.of_rows([{"user": "ann"}, {"user": ""}]))
    >>> refusals.refuse(np.array([False, True]), "user: missing")
    >>> refusals.mask.tolist(), refusals.reasons
    ([False, True], {1: 'user: missing'})
    """

    def __init__(self, batch: RowBatch) -> None:
        """Refuses the unreadable rows."""
        self.reasons = {position: row.reason for position, row in batch.unreadable.items()}
        """By position in the batch."""
        self.columns: dict[int, str] = {}
        """Columns of the cells to blame, by position, where the reason does not show the cell."""
        self.mask: Mask = np.zeros(len(batch), np.bool_)
        """Refused rows, shape (n,)."""
        self.mask[list(self.reasons)] = True
        self.changed: Counter[str] = Counter()
        """Rows that are read in a changed form, by what was changed."""

    def refuse(self, rows: Mask, reason: str | Callable[[int], str], column: str = "") -> None:
        """Refuses rows, shape (n,), for a reason, or for one by position in the batch.

        `column` names the one whose cell is to blame, where the reason does not show the cell.
        """
        for position in np.flatnonzero(rows & ~self.mask).tolist():
            self.reasons[position] = reason if isinstance(reason, str) else reason(position)
            if column:
                self.columns[position] = column
        self.mask |= rows

    def refuse_each(self, reasons: Mapping[int, str]) -> None:
        """Refuses rows for reasons by position in the batch."""
        for position, reason in reasons.items():
            if not self.mask[position]:
                self.reasons[position] = reason
                self.mask[position] = True


@dataclass(slots=True)
class LeftOut:
    """Counts of the rows and events that are left out because a server would refuse them."""

    counts: Counter[str] = field(default_factory=Counter)
    """By kind of refusal."""
    first: dict[str, str] = field(default_factory=dict)
    """The first case of each kind, in the order of the kinds' first cases."""
    changed: Counter[str] = field(default_factory=Counter)
    """Rows that are read in a changed form, by what was changed."""
    warnings: list[str] = field(default_factory=list)
    """What else a person should know about the files."""
    rows: Counter[str] = field(default_factory=Counter)
    """Rows that were met, by what they hold: items, events."""
    odd_scale: str = ""
    """A warning about the scale of the ratings; whoever assumes another scale empties it."""
    assumed: list[str] = field(default_factory=list)
    """What was assumed where options and headings leave it open, a sentence or two each."""

    def add(self, kind: str, what: str, count: int = 1) -> None:
        """Counts cases of a kind; `what` describes the first of them."""
        self.counts[kind] += count
        self.first.setdefault(kind, what)

    def add_rows(self, kind: str, batch: RowBatch, refusals: Refusals) -> None:
        """Counts the refused rows of a batch; the first one is described by number and reason."""
        self.changed.update(refusals.changed)
        if refusals.reasons:
            first = min(refusals.reasons)
            what = f"{_place(batch, first)}: {refusals.reasons[first]}"
            self.add(kind, what, len(refusals.reasons))

    def add_by_reason(self, batch: RowBatch, refusals: Refusals) -> None:
        """Counts the refused rows of a batch, each under its own reason.

        The first row of each is described by its number and the cell that is to blame.
        """
        for position in sorted(refusals.reasons):
            reason = refusals.reasons[position]
            self.counts[reason] += 1
            if reason not in self.first:
                self.first[reason] = _place(batch, position)
                if column := refusals.columns.get(position):
                    cell = batch.cell(column, position)
                    self.first[reason] += f": got {quoted(cell)}{number_hint(cell)}"

    def reasons(self) -> list[str]:
        """What was left out: the kind, the count and the first case, a line each."""
        return [
            f"{kind}: {count:,} (first: {self.first[kind]})" for kind, count in self.counts.items()
        ]

    def alarm(self) -> str:
        """Says that much of the log is left out, why mostly, and what to do; empty: little is."""
        return " ".join(filter(None, map(self._alarm_of, ("items", "events"))))

    def _alarm_of(self, what: str) -> str:
        of_items = what == "items"
        counts = {
            kind: count
            for kind, count in self.counts.items()
            if (kind == UNREADABLE_ITEMS) is of_items
        }
        lost, rows = sum(counts.values()), self.rows[what]
        if not rows or lost <= MUCH * rows:
            return ""
        kind = max(counts, key=counts.__getitem__)
        first = self.first[kind]
        return (
            f"{lost:,} of the {rows:,} {what} ({lost / rows:.0%}) are LEFT OUT, and no figure "
            f"counts them; most of them are {kind}: {counts[kind]:,}, the first {first}. "
            f"{_WHAT_TO_DO.get(kind, _OTHERWISE)}"
        )

    def notes(self) -> list[str]:
        """What was assumed, left out, changed and odd, a line each; first, if much is left out."""
        alarm = self.alarm()
        return [
            *([f"Warning: {alarm}"] if alarm else []),
            *self.assumed,
            *(f"Left out, {reason}" for reason in self.reasons()),
            *changes(self.changed),
            *(f"Warning: {warning}" for warning in [*self.warnings, self.odd_scale] if warning),
        ]

    def by_reason(self) -> Counter[str]:
        """Counts by reason and first case."""
        return Counter(
            {
                f"{reason} (first: {self.first[reason]})": count
                for reason, count in self.counts.items()
            }
        )

    def commonest(self) -> str:
        """The commonest reason with its first case."""
        found = self.by_reason().most_common(1)
        return found[0][0] if found else "the file has no rows"

    @property
    def first_case(self) -> str:
        """The first case of all."""
        return next(iter(self.first.values()), "the file has no rows")


def _place(batch: RowBatch, position: int) -> str:
    line = "" if batch.line is None else f", line {batch.line[position]}"
    return f"row {batch.number[position]}{line}"


def changes(changed: Mapping[str, int]) -> list[str]:
    """Says what was changed in how many rows, a line each."""
    return [f"Changed, {what}: {count:,} rows" for what, count in changed.items()]
