"""Guesses columns whose names say little from what stands in them, over the whole file.

The item of an event is the column that holds ids of the items' file, the time the one column that
holds times, and the user the column with by far the most values that come again. A name that
mostly means a field decides where what stands in the column fits. What two columns could be is
not guessed, but asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from penchant.logs.cells import printable
from penchant.logs.column_looks import ColumnLook
from penchant.logs.known_columns import folded, is_attribute, likely_columns
from penchant.logs.told_forms import could_be_times

Looks = Mapping[str, ColumnLook]
"""What stands in the columns of a file, by name."""

_AS_GOOD = 1 / 20
"""Share of the distinct values of a column from which on another one could be the users too: one
order in ten customers' is no rarity, nor are ten customers in an order's."""
_FEW = 10
"""Distinct values below which a column is none of ids beside one with more of them."""
_CROWD = 1000
"""Events of each of few values from which on they are kinds of something, and no users."""
_OPTIONS = {"user": "--user-column", "item": "--item-column", "occurred_at": "--time-column"}


@dataclass(frozen=True, slots=True)
class Guess:
    """The columns of fields, and what is left to ask."""

    columns: dict[str, str] = field(default_factory=dict)
    """Columns by field."""
    questions: dict[str, str] = field(default_factory=dict)
    """Why a field can't be told, and what to do, by field."""

    def ask(self, wanted: str, names: Sequence[str], looks: Looks) -> None:
        """Notes that several columns could be a field."""
        shown = " or ".join(f"{printable(one)!r} ({looks[one].distinct:,} values)" for one in names)
        self.questions[wanted] = f"is it {shown}? name it with {_OPTIONS[wanted]}"


def guess_event_columns(
    looks: Looks,
    missing: Collection[str],
    taken: Collection[str],
    ids: Collection[str],
    id_name: str = "",
) -> Guess:
    """Guesses the columns of fields that a file of events seems to lack.

    Args:
        looks: what stands in the file's columns.
        missing: fields to guess: user, item, occurred_at.
        taken: columns that are known already.
        ids: ids of the items' file; empty: unknown.
        id_name: the column of the items' file that holds the ids.
    """
    guess = Guess()
    left = {name: look for name, look in looks.items() if look.filled and name not in taken}
    pointing = _pointing(left, ids, id_name) if "item" in missing else []
    if len(pointing) == 1:
        guess.columns["item"] = pointing[0]
        del left[pointing[0]]
    for wanted in ("user", "item"):
        if wanted in missing and wanted not in guess.columns:
            likely = [name for name in likely_columns(wanted, left) if left[name].could_be_ids]
            if len(likely) == 1:
                guess.columns[wanted] = likely[0]
                del left[likely[0]]
            elif likely:
                guess.ask(wanted, likely, looks)
    times = [name for name, look in left.items() if could_be_times(look.sample)]
    if "occurred_at" in missing:
        if len(times) == 1:
            guess.columns["occurred_at"] = times[0]
        elif times:
            guess.ask("occurred_at", times, looks)
    left = {name: look for name, look in left.items() if name not in times}
    open_ = [one for one in ("user", "item") if one in missing and one not in guess.columns]
    rivals = _rivals(left)
    for wanted in open_:
        if wanted in guess.questions or not rivals:
            continue
        # Of two open fields, each column could be either.
        if len(open_) == 1 and len(rivals) == 1:
            guess.columns[wanted] = rivals[0]
        elif len(rivals) > 1:
            guess.ask(wanted, rivals, looks)
    return guess


def guess_id_column(items: Looks, events: Looks) -> str:
    """The column of an items' file that the events point to; empty if none or several do.

    Of several, the one that has the same name in both files.
    """
    unique = [name for name, look in items.items() if look.filled and _is_unique(look)]
    pointed = [name for name in unique if _pointing(events, items[name].counts, name)]
    if len(pointed) > 1:
        of_events = set(map(folded, events))
        pointed = [name for name in pointed if folded(name) in of_events]
    return pointed[0] if len(pointed) == 1 else ""


def _is_unique(look: ColumnLook) -> bool:
    return look.distinct == look.filled


def _pointing(looks: Looks, ids: Collection[str], id_name: str) -> list[str]:
    """The columns most of whose cells are among some ids; of several, the one of the same name."""
    inside = [
        name
        for name, look in looks.items()
        if look.filled
        and 2 * sum(count for text, count in look.counts.items() if text in ids) >= look.filled
    ]
    same = [name for name in inside if folded(name) == folded(id_name)]
    return same if len(inside) > 1 and same else inside


def _rivals(looks: Looks) -> list[str]:
    """The columns that could be the ids of users, those with the most distinct values first."""
    found = [
        (look.distinct, name)
        for name, look in looks.items()
        if look.could_be_ids
        and look.comes_again
        and not is_attribute(name)
        and not (look.distinct < _FEW and look.mean_events >= _CROWD)
    ]
    found.sort(key=lambda pair: -pair[0])
    most = found[0][0] if found else 0
    least = max(_FEW, most * _AS_GOOD)
    return [name for place, (count, name) in enumerate(found) if not place or count >= least]
