"""How likely a sentence means what was understood: one confidence for all ways to understand."""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk.home.reading.commands import Command, Reading

_READ = 0.995
_EXACT = 0.99
_SLIP = 0.004
_DOUBT = 0.35


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
        return sense.voted * max(0.0, min(0.97, 4 * (sense.cosine - 0.75)))
    if sense.exact and not command.doubts:
        return _READ - _SLIP * sense.reading.slips if sense.reading.full else _EXACT
    sure = 0.9 * (1 - _DOUBT) ** len(command.doubts)
    return sure * (0.85 ** len(sense.reading.unknown))
