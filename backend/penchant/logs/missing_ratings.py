"""Tells zeros that stand for no rating from the worst of ratings, and reads them as views.

So are rows without any value, where they are many: most of a log would be refused for the lack.

Some logs, such as Book-Crossing, write 0 where somebody had to do with an item and did not rate it.
Taken for ratings, most of the log would be dislikes. Ratings thin out towards the bottom of a
scale, or pile up there with the values beside it; zeros that stand alone are no ratings.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.rewards import SignalTable
from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.cells import printable
from penchant.logs.event_log import EventLog
from penchant.logs.usual_signals import usual_signal

VIEW = "view"
"""The signal of an event that lacks its rating."""

MANY = 0.1
"""Share of zeros from which they are looked at, and of missing values from which they are views."""

ALONE = 3.0
"""Times as many zeros as ratings in the lowest quarter of the scale."""

LEAST_VALUES = 3
"""Distinct ratings besides 0 that a scale has, at least."""

LARGEST_TOP = 100.0
"""Values above it are counts, of which 0 is one."""


def with_missing_ratings(log: EventLog, table: SignalTable) -> tuple[EventLog, list[str]]:
    """Returns the log with views in place of ratings that are missing, and a sentence for each.

    Args:
        log: n events.
        table: the signals that are known; without a view, the log stays.
    """
    sentences: list[str] = []
    if VIEW not in table:
        return log, sentences
    for code, name in enumerate(log.signal.distinct):
        row = table.get(name) or usual_signal(name)
        if row is None or not row.value_required:
            continue
        places = np.flatnonzero(log.signal.code == code)
        value = log.value[places]
        valued = np.isfinite(value)
        if valued.any() and np.count_nonzero(~valued) >= MANY * len(places):
            log = _as_views(log, places[~valued])
            sentences.append(
                f"{np.count_nonzero(~valued):,} of {len(places):,} events of the signal "
                f"{printable(name)!r} have no value, and are taken for the signal {VIEW}."
            )
            places, value = places[valued], value[valued]
        if not _zeros_stand_alone(value[np.isfinite(value)]):
            continue
        unrated = places[value == 0]
        log = _as_views(log, unrated)
        sentences.append(
            f"{len(unrated):,} of {len(places):,} events of the signal {printable(name)!r} have "
            "the value 0, and next to none a low one: 0 is taken for no rating, and these events "
            f"for the signal {VIEW}."
        )
    return log, sentences


def _zeros_stand_alone(value: Float64) -> bool:
    if not len(value) or value.min() < 0 or value.max() > LARGEST_TOP:
        return False
    zeros, rated = int(np.count_nonzero(value == 0)), value[value > 0]
    if zeros < MANY * len(value) or len(np.unique(rated)) < LEAST_VALUES or rated.max() <= 1:
        return False
    return zeros > ALONE * np.count_nonzero(rated <= rated.max() / 4)


def _as_views(log: EventLog, places: Int64) -> EventLog:
    names = list(log.signal.distinct)
    if VIEW not in names:
        names.append(VIEW)
    code, value = log.signal.code.copy(), log.value.copy()
    code[places] = names.index(VIEW)
    value[places] = np.nan
    return dataclasses.replace(log, signal=CodedTexts(names, code), value=value)
