"""Whether a clause is said to a home, and whether a command only repeats or ends another."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from penchant_sdk.home.reading.clauses import Clause
from penchant_sdk.home.reading.commands import Command
from penchant_sdk.home.reading.verbs import OFF, ON


def likely_kind(clause: Clause) -> str:
    """Kind of device that a bare number is likely for: get it to eighteen; empty if none."""
    bare = [number for number, unit in clause.numbers if not unit]
    if not bare or not (clause.toward or clause.neutral):
        return ""
    return "thermostat" if 15 <= bare[-1] <= 28 else "light"


def is_directed(clause: Clause) -> bool:
    """Whether a clause that names no device is said to a home: "make it blue" is."""
    if clause.personal:
        return False
    if clause.named or clause.rels or clause.quantities:
        return True
    ops = {*clause.ops, *clause.weak_ops}
    shown = bool(clause.colours or clause.kelvins)  # "Put some pink in here."
    if (
        ops & _PLAYED and not ops & {"clean", "mow"} and not shown
    ):  # "Carry on" may be said to anybody.
        return False
    if clause.neutral or clause.ops or clause.polite:
        return True
    return bool(clause.targeted or clause.here or clause.numbers) and bool(
        clause.numbers
        or clause.particles
        or clause.levels
        or clause.adjectives
        or clause.kelvins
        or clause.colours
        or clause.weak_ops
        or clause.unneeded
    )


_PLAYED = frozenset(
    ("mute", "unmute", "next", "previous", "play", "pause", "resume", "dock", "stop")
)
"""Verbs that are said to anybody, unless a device is named."""


def ends_it(command: Command, before: Sequence[Command]) -> bool:
    """Whether a command only ends what one before does for a while: on for 5 minutes, then off."""
    last = before[-1] if before else None
    return (
        last is not None
        and bool(last.when.for_s)
        and command.intent == OFF
        and command.choices == last.choices
    )


def repeats(command: Command, before: Sequence[Command]) -> bool:
    """Whether a command says once more what the one before it says: kitchen light, off."""
    last = before[-1] if before else None
    return last is not None and dataclasses.replace(
        command, doubts=last.doubts
    ) == dataclasses.replace(last, when=command.when)


def clearest(commands: list[Command]) -> list[Command]:
    """The commands without those that name nothing, if another is clear."""
    clear = [one for one in commands if one.choices or one.missing]
    named = any(one.choices and "target" not in one.doubts for one in clear)
    return clear if named else commands


def contradicts(command: Command, before: Sequence[Command]) -> bool:
    """Whether a command undoes at once what one before it does: kitchen on and these off."""
    return any(
        {command.intent, one.intent} == {ON, OFF}
        and command.when.now
        and one.when.now
        and command.choices[:1] == one.choices[:1]
        for one in before
    )


def is_reason(
    clauses: Sequence[Clause], clause: Clause, before: Sequence[Command], command: Command
) -> bool:
    """Whether the command before one only says why: it is cold, so turn the heating on."""
    at = clauses.index(clause)
    if not at or len(before) != 1:
        return False
    why, last = clauses[at - 1], before[-1]
    told = why.rels and not (why.named or why.neutral or why.ops or why.wanted or why.polite)
    return bool(told) and bool(last.change) and last.choices == command.choices and clause.directive
