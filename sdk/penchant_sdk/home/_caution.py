"""How likely a sentence means what was understood: one confidence for all ways to understand.

Doubts multiply into evidence, which a monotone map turns into the share of right first actions
that it had on sentences kept for development (Zadrozny and Elkan 2002, "Transforming classifier
scores into accurate multiclass probability estimates", with few knots in place of a step for each
score). `docs/measurements/home.md` has the reliability on others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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
"""Highest evidence of a vote: the encoder alone never acts by default."""
_STATED = ((0.0, 0.0), (0.4, 0.8), (0.63, 0.93), (0.95, 0.94), (0.975, 0.975), (1.0, 1.0))
"""Evidence, and the confidence that it is stated as; linear between. What is asked about is right
more often than its doubts suggest, and is still not done without an answer."""


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
    evidence = _evidence(sense, command)
    for (low, least), (high, most) in pairwise(_STATED):
        if evidence <= high:
            return least + (evidence - low) / (high - low) * (most - least)
    return 1.0


def _evidence(sense: Sense, command: Command) -> float:
    """How much speaks for a command, 0 to 1: the product of what speaks against it."""
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
