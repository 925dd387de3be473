"""Reads who played which game for how many hours, as public logs of games have it.

A row holds a user, a game's title and hours, with or without a heading. Some logs have a row for
the purchase beside the one for play; its number is no time of play.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from penchant.domain.arrays import Float64, Mask
from penchant.domain.errors import ConfigError
from penchant.domain.limits import Limits
from penchant.logs.cell_arrays import texts_of, times_us_of
from penchant.logs.cells import is_separated_number, time_us_of
from penchant.logs.found_columns import columns_of, way_to
from penchant.logs.known_columns import ITEMS, TIMES, USERS, folded, known_column
from penchant.logs.log_source import mapped_fields
from penchant.logs.lost_ids import refuse_lost_ids, refuse_types
from penchant.logs.open_table import open_table
from penchant.logs.refusals import LeftOut, Refusals
from penchant.logs.row_batch import RowBatch
from penchant.logs.row_fields import conversion_error, refuse_impossible, required_ids
from penchant.logs.table_file import TableFile

FIELDS = ("user", "title", "hours", "behavior", "occurred_at")
MOST_HOURS = 1e6
"""Bound on the hours of one row: 114 years."""

_USUAL: Mapping[str, tuple[str, ...]] = {
    "user": (*USERS, "player", "player_id", "gamer", "gamer_id", "steam_id"),
    "title": (
        "title", "game", "game_title", "game_name", "app_name", "item_name", "name", "item", *ITEMS,
    ),
    "hours": (
        "hours", "hours_played", "playtime_hours", "hours_total", "total_hours", "play_hours",
        "playtime", "play_time", "time_played", "minutes", "minutes_played", "playtime_minutes",
        "playtime_forever", "value",
    ),
    "behavior": ("behavior", "behaviour", "behavior_name", "behaviour_name", "action", "event_type",
                 "event", "signal", "type"),
    "occurred_at": TIMES,
}  # fmt: skip
_MINUTES = frozenset(("minutes", "minutesplayed", "playtimeminutes", "playtimeforever"))
_PLAYED = frozenset(("play", "played", "playing", "playtime"))
_BOUGHT = frozenset(("purchase", "purchased", "buy", "bought", "own", "owned"))
_UNIT = re.compile(r"\s*(?:h|hrs?|hours?)(?: on record)?\.?$", re.IGNORECASE)
_SPACES = re.compile(r"(?<=\d)[\s'’](?=\d{3}(?!\d))")
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class HoursColumns:
    """Columns of a log of hours."""

    user: str = ""
    title: str = ""
    hours: str = ""
    behavior: str = ""
    """Says of each row whether it is a purchase or play; empty: all rows are play."""
    occurred_at: str = ""
    """Time of a row; empty: the log has none."""

    @property
    def per_hour(self) -> float:
        """How many of the column's units are an hour."""
        return 60.0 if folded(self.hours) in _MINUTES else 1.0

    def found_in(self, names: Collection[str]) -> HoursColumns:
        """Returns the columns to read in a file with these column names.

        Raises:
            ConfigError: several columns could be the same one.

        >>> HoursColumns().found_in(["user-id", "game-title", "behavior-name", "hours"]).title
        'game-title'
        """
        found = self
        for name in FIELDS:
            if not getattr(self, name):
                column = _first_known(name, names)
                found = dataclasses.replace(found, **{name: column})
        return found

    def missing_in(self, names: Collection[str]) -> dict[str, str]:
        """Returns the columns that a file must have and lacks, by field, with a way out of it."""
        missing = {}
        for name in FIELDS:
            column = getattr(self, name)
            if column not in names and (column or name in ("user", "title", "hours")):
                missing[name] = way_to(column, "", f"--map COLUMN={name}", names)
        return missing


def _first_known(name: str, names: Collection[str]) -> str:
    """The column whose name comes first among the usual ones of a field; empty: none."""
    for usual in _USUAL[name]:
        column = known_column(name, names, f"--map COLUMN={name}", usual=(usual,))
        if column in names and (column != name or folded(usual) == folded(name)):
            return column
    return ""


@dataclass(slots=True)
class PlayHours:
    """Hours by user and title."""

    played: dict[tuple[str, str], float] = field(default_factory=dict)
    """Hours above 0, the rows of one user and title in sum."""
    owned: set[tuple[str, str]] = field(default_factory=set)
    """Bought, or listed with 0 hours; some of them are in `played` too."""
    at_us: dict[tuple[str, str], int] = field(default_factory=dict)
    """Latest time of a row, in microseconds since 1970, where the log has times."""
    titles: dict[str, None] = field(default_factory=dict)
    """In the order of the file."""

    @property
    def owned_alone(self) -> list[tuple[str, str]]:
        """Owned and never played, in alphabetical order."""
        return sorted(self.owned - self.played.keys())


def read_play_hours(path: Path, mapped: tuple[str, ...], left_out: LeftOut) -> PlayHours:
    """Reads a file of hours.

    Args:
        path: CSV, TSV, JSON lines or Parquet.
        mapped: entries COLUMN=FIELD with a field of `FIELDS`; columns of the usual names need none.
            Without a heading, the columns are user, title and hours, or user, title, purchase or
            play, and hours.
        left_out: counts the rows that are refused.

    Raises:
        ConfigError: the file can't be read, lacks a column, or no row of it can be read.
    """
    given = HoursColumns(**mapped_fields(mapped, FIELDS))
    found = PlayHours()
    with open_table(path) as table:
        batches = table.batches()
        first = next(batches, None)
        columns = columns_of(table, _by_place(given, table, first))
        for batch in itertools.chain([] if first is None else [first], batches):
            refusals = _read_batch(batch, columns, found)
            left_out.add_rows("unreadable rows of hours", batch, refusals)
        if not table.first_row_is_data:
            left_out.warnings += table.warnings
    if not found.titles:
        raise ConfigError(f"hours: no row of {path.name} can be read; {left_out.first_case}")
    return found


def _by_place(given: HoursColumns, table: TableFile, first: RowBatch | None) -> HoursColumns:
    """The columns of a file without a heading, by their places."""
    if not table.first_row_is_data or first is None or given != HoursColumns():
        return given
    if len(table.names) < 3:
        return given
    words = texts_of(first.cells("3"), strip=True).distinct
    if len(table.names) > 3 and any(word.casefold() in _PLAYED | _BOUGHT for word in words):
        return HoursColumns("1", "2", "4", "3")
    return HoursColumns("1", "2", "3")


def _read_batch(batch: RowBatch, columns: HoursColumns, found: PlayHours) -> Refusals:
    """Adds the rows of a batch."""
    refusals = Refusals(batch)
    user = required_ids(batch, columns.user, "user", refusals)
    title = required_ids(batch, columns.title, "title", refusals)
    refuse_lost_ids(user, batch, columns.user, refusals)
    refuse_types(batch, columns.title, refusals)  # "NA" may be the name of a game.
    refuse_impossible(user, "user", _LIMITS.id_bytes, refusals)
    refuse_impossible(title, "title", _LIMITS.id_bytes, refusals)
    bought = _bought(batch, columns, refusals)
    hours = _hours(batch, columns, bought, refusals)
    times = times_us_of(batch.cells(columns.occurred_at), "s")
    reason = conversion_error(batch, columns.occurred_at, lambda cell: time_us_of(cell, "s"))
    refusals.refuse(times.wrong, reason)
    refusals.refuse(times.at_us < 0, "occurred_at: before 1970")
    rows = zip(
        user.to_list(),
        title.to_list(),
        hours.tolist(),
        times.at_us.tolist(),
        times.missing.tolist(),
        refusals.mask.tolist(),
        strict=True,
    )
    for player, game, spent, at_us, no_time, refused in rows:
        if refused:
            continue
        pair = player, game
        found.titles.setdefault(game)
        if spent > 0:
            found.played[pair] = found.played.get(pair, 0.0) + spent
        else:
            found.owned.add(pair)
        if not no_time:
            found.at_us[pair] = max(at_us, found.at_us.get(pair, 0))
    return refusals


def _bought(batch: RowBatch, columns: HoursColumns, refusals: Refusals) -> Mask:
    """Which rows are purchases, shape (n,)."""
    if not columns.behavior:
        return np.zeros(len(batch), np.bool_)
    texts = texts_of(batch.cells(columns.behavior), strip=True)
    known = texts.where(lambda text: text.casefold() in _PLAYED | _BOUGHT)
    refusals.refuse(~known, lambda at: f"behavior: got {texts.at(at)!r}, expected purchase or play")
    return texts.where(lambda text: text.casefold() in _BOUGHT)


def _hours(batch: RowBatch, columns: HoursColumns, bought: Mask, refusals: Refusals) -> Float64:
    """Hours of each row, 0 of a purchase, shape (n,)."""
    texts = texts_of(batch.cells(columns.hours), strip=True)
    parsed = np.array([hours_of(text) for text in texts.distinct], np.float64)
    hours: Float64 = parsed[texts.code] / columns.per_hour
    hours[bought] = 0.0
    possible = (hours >= 0) & (hours <= MOST_HOURS)  # False where it is NaN.

    def reason(at: int) -> str:
        got = texts.at(at)
        return f"hours: got {got[:64]!r}, expected a number from 0 to {MOST_HOURS:,.0f}"

    refusals.refuse(~possible, reason, columns.hours)
    return hours


def hours_of(text: str) -> float:
    """Reads a number of hours as people write it; NaN: it is none.

    A single comma before three digits separates thousands, any other is a decimal comma.

    >>> hours_of("1,234.5"), hours_of("1.234,5"), hours_of("12,5"), hours_of("10.5 hrs")
    (1234.5, 1234.5, 12.5, 10.5)
    >>> hours_of("1,234"), hours_of("1 234"), hours_of("many")
    (1234.0, 1234.0, nan)
    """
    plain = _SPACES.sub("", _UNIT.sub("", text.strip()))
    if is_separated_number(plain):
        by_thousands = re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", plain)
        plain = plain.replace(",", "") if by_thousands else plain.replace(".", "").replace(",", ".")
    try:
        return float(plain) if "_" not in plain else float("nan")
    except ValueError:
        return float("nan")
