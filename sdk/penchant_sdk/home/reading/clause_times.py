"""When a clause asks for something: its typed times, and lone numbers that are hours."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import time

from penchant_sdk.home.reading.clauses import Clause
from penchant_sdk.home.reading.verbs import SETS
from penchant_sdk.home.when import When

_LATEST_BARE = 12
"""A greater number after "at" may be a level or a temperature."""


def time_of(clause: Clause, times: Sequence[When]) -> tuple[When, bool]:
    """The time of a clause, and whether a part of it is not understood."""
    when = When()
    for number in clause.whens:
        one = times[number]
        when = dataclasses.replace(
            when,
            after_s=one.after_s or when.after_s,
            at=one.at if one.at is not None else when.at,
            twice=one.twice or when.twice,
            in_days=one.in_days or when.in_days,
            daily=one.daily or when.daily,
            for_s=one.for_s or when.for_s,
        )
    if clause.later:
        when = dataclasses.replace(when, said=clause.later)
    return when, bool(clause.later) or len(clause.whens) > 1


def clocked(clause: Clause, when: When, domain: str) -> tuple[Clause, When, bool]:
    """Takes a lone number after "at" as a time if the verb needs no value: the kettle at 7.

    Heating at 21 is 21 degrees; the last value says whether a level may be meant.
    """
    switched = {*clause.ops, *clause.particles} & {"on", "off", "start", "stop", "open", "close"}
    if not (clause.at_number and switched and when.now and not clause.quantities):
        return clause, when, False
    number, unit = clause.numbers[-1]
    warm = domain == "climate" and number > _LATEST_BARE
    if unit or not number.is_integer() or not 0 < number < 24 or warm:
        return clause, when, False
    timed = When(at=time(int(number)), twice=number <= 12)
    unclear = domain in SETS and number > _LATEST_BARE
    return dataclasses.replace(clause, numbers=(), at_number=False), timed, unclear
