"""How likely a sentence means what was understood: one confidence for all ways to understand.

The numbers are shares of right first actions on sentences kept for development, by what spoke
against them; `docs/measurements/home.md` has the reliability on others.
"""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk.home.reading.commands import Command, Reading

_READ = 0.992
_EXACT = 0.985
_SLIP = 0.004
_ASKED = 0.9
_DOUBTS = {
    "later": 0.95,
    "target": 0.95,
    "value": 0.95,
    "verb": 0.7,
    "corrected": 1.0,
    "aside": 0.97,
    "need": 0.8,
}
_LEFT_OVER = {True: 0.93, False: 0.8}
"""Factors by whether the sentence names a device and a verb beside the words left over."""
_AT_MOST = 0.95
"""Highest confidence of a vote: the encoder alone never acts by default."""


@dataclass(frozen=True, slots=True)
class Sense:
    """What a sentence asks for, and how that was found."""

    commands: tuple[Command, ...]
    reading: Reading
    exact: bool = False
    """Whether every word was understood, by the reading or by a template."""
    voted: float = 0.0
    """Share of the votes of the nearest known sentences. 0: they were not asked."""
    cosine: float = 1.0
    """Cosine of the nearest known sentence."""


def confidence(sense: Sense, command: Command) -> float:
    """Estimated probability that the first action of a command is right, 0 to 1."""
    if sense.voted:
        return sense.voted * max(0.0, min(_AT_MOST, 4 * (sense.cosine - 0.75)))
    if sense.exact and not command.doubts:
        return _READ - _SLIP * sense.reading.slips if sense.reading.full else _EXACT
    sure = _ASKED
    for doubt in set(command.doubts):
        sure *= _DOUBTS[doubt]
    if sense.reading.unknown:
        sure *= _LEFT_OVER[sense.reading.plain]
    return sure
