"""Fills in what a log's signals and their values mean where the signal table does not say it.

A log from elsewhere has its own names and its own scale of ratings. Left to a table of other names
and of five stars, most of it would be refused, and what remains would be its oddest part.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.rewards import Signal, SignalTable
from penchant.logs.cells import printable
from penchant.logs.event_log import EventLog
from penchant.logs.usual_signals import usual_signal

UNKNOWN = Signal(reward=0.5)
"""A signal whose name says nothing: people seldom log what they did not choose."""

_SCALES = (5.0, 10.0, 20.0, 100.0)
"""Usual tops of a scale of ratings; beyond them values are counts or amounts."""
_STRAY = 0.001
"""Share of the values that may lie outside of a scale: they are errors, and are refused."""
_NEUTRAL, _SPAN = 0.4, 0.6
"""Of the top: two of five stars are neutral, five are a full like."""
_MANY = 0.9
"""Share of counts that earn less than a full like."""
_MOST = 200
"""Signals from which on a column is none of signals, and nothing is assumed."""
_SHOWN = 12


def assumed_signals(log: EventLog, table: SignalTable) -> tuple[SignalTable, list[str]]:
    """Returns a table with a row for each signal of a log, and what was assumed in sentences.

    Names that the table lacks are told by their usual meaning. Where the values of a signal do
    not fit the scale of its row, the row is rescaled: values from -10 to 10, 0 or 1, up to 10,
    20 or 100 are ratings; larger ones are counts.

    Args:
        log: n events.
        table: the signals that are known.

    Cost: a sort of the events by signal.
    """
    made, sentences = dict(table), list[str]()
    order = np.argsort(log.signal.code, kind="stable")
    count = np.bincount(log.signal.code, minlength=len(log.signal.distinct))
    if np.count_nonzero(count) > _MOST:
        return table, []
    values = np.split(log.value[order], np.cumsum(count)[:-1])
    for name, value, events in zip(log.signal.distinct, values, count.tolist(), strict=True):
        if not name or not events:
            continue
        row, known = made.get(name), name in made
        value = value[np.isfinite(value)]
        if row is None:
            row = usual_signal(name) or UNKNOWN
            if row.value_required and not len(value):
                row = table.get("like", UNKNOWN)  # A rating without its value.
        row, scale = _rescaled(row, value)
        if known and not scale:
            continue
        made[name] = row
        what = f"the signal {printable(name)!r} ({events:,} events)"
        sentences.append(f"{what} {scale or _meaning(row, value)}")
    return made, _told(sentences)


def _told(sentences: Sequence[str]) -> list[str]:
    if not sentences:
        return []
    shown = "; ".join(sentences[:_SHOWN])
    more = len(sentences) - _SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    return [f"Assumed of signals: {shown}{rest}. The setting signals says otherwise."]


def _meaning(row: Signal, value: Float64) -> str:
    if len(value) and row.neutral is not None and row.scale is not None:
        return _scale_in_words(row)
    weight = f", weight {row.weight:g}" if row.weight != 1 else ""
    return f"has the reward {row.reward:+g}{weight}"


def _rescaled(row: Signal, value: Float64) -> tuple[Signal, str]:
    """The row with the scale of the values, and the scale in words; empty: it fits as it is."""
    if row.value_max is None or not len(value):
        return row, ""
    low, high = np.quantile(value, (_STRAY, 1 - _STRAY), method="closest_observation")
    if low < 0:
        top = _top(float(max(-low, high)))
        return _with_scale(row, -top, top, 0.0, top)
    if high <= 1:
        of_two = len(np.unique(value[(value >= low) & (value <= high)])) <= 2
        if low == high:
            return _with_scale(row, 0.0, 1.0, 0.0, 1.0)  # All are 1: a list of what was liked.
        neutral = 0.5 if of_two else _NEUTRAL
        return _with_scale(row, 0.0, 1.0, neutral, 1 - neutral)
    if high <= row.value_max:
        return row, ""
    if high > _SCALES[-1]:
        full = float(np.quantile(value, _MANY))
        return _with_scale(row, 0.0, None, 0.0, full)
    top = _top(float(high))
    return _with_scale(row, 0.0, top, _NEUTRAL * top, _SPAN * top)


def _top(value: float) -> float:
    return next((top for top in _SCALES if value <= top), value)


def _with_scale(
    row: Signal, low: float, high: float | None, neutral: float, scale: float
) -> tuple[Signal, str]:
    rescaled = dataclasses.replace(row, value_min=low, value_max=high, neutral=neutral, scale=scale)
    return rescaled, _scale_in_words(rescaled)


def _scale_in_words(row: Signal) -> str:
    """What the values of a signal mean, for one that has a scale."""
    low, high = row.value_min, row.value_max
    span = "" if low is None else f" from {low:g}" + (" on" if high is None else f" to {high:g}")
    neutral, scale = row.neutral or 0.0, row.scale or 0.0
    full = f"{neutral:g} is neutral and {neutral + scale:g} a full like"
    return f"has values{span}, of which {full}"
