"""What a sentence asks for, as the reading, the templates and the vote all give it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from penchant_sdk.home.parameters import Parameter
from penchant_sdk.home.types import Entity
from penchant_sdk.home.when import When

Choice = tuple[Entity, ...]
"""Entities that an action is on, all of them together."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that a sentence asks for."""

    intent: str
    choices: tuple[Choice, ...] = ()
    """Possible sets of entities, the most likely first. Empty: unclear, or none is needed."""
    parameter: Parameter | None = None
    impossible: bool = False
    """True if it says a value that cannot be."""
    change: int = 0
    """1 for more, -1 for less, 0 for neither."""
    valued: bool = False
    """Whether the sentence itself says the value, in numbers or words."""
    when: When = When()
    doubts: tuple[str, ...] = ()
    """Why it may be misread: target, verb, value, later, corrected, aside, need."""
    missing: str = ""
    """What it names and the home has not."""
    alternatives: tuple[str, ...] = ()
    """Other intents that it may mean."""
    plain: bool = False
    """Whether its intent needs no entity."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a sentence says."""

    commands: tuple[Command, ...] = ()
    refused: str = ""
    """Why it is no command, whatever it is about: negated, reported, past, asked, undone. Empty:
    nothing speaks against it."""
    unknown: tuple[str, ...] = ()
    """Words that mean nothing here."""
    understood: int = 0
    """Number of phrases that name a device, a place, a verb or a value."""
    guarded: bool = False
    """Whether it holds a time, a condition, an exception or the like, which no template knows."""
    slips: int = 0
    """Letters that were corrected."""
    plain: bool = False
    """Whether a clause names a device and says what to do, both in words."""
    wished: bool = False
    """Whether a clause says that something is wanted: please, could use, make."""

    @property
    def full(self) -> bool:
        """Whether every word was understood, and every command without a doubt."""
        return (
            bool(self.commands)
            and not self.refused
            and not self.unknown
            and all(one.choices and not one.doubts and not one.missing for one in self.commands)
        )

    @property
    def grounded(self) -> bool:
        """Whether a command names what to act on and what to do."""
        return any(one.choices and "verb" not in one.doubts for one in self.commands)

    @property
    def worth_asking(self) -> bool:
        """Whether its commands, doubtful as they are, are better asked about than refused.

        A device and a verb said plainly bear more words around them than a mere topic does.
        """
        topic = max(self.understood - 1, 1 if self.wished else 0)
        most = 2 * self.understood + 2 if self.plain else topic
        return bool(self.commands) and len(self.unknown) <= most


def doubted(reading: Reading, doubt: str) -> Reading:
    """A reading that is asked about."""
    commands = tuple(
        replace(one, doubts=tuple(dict.fromkeys((*one.doubts, doubt)))) for one in reading.commands
    )
    return replace(reading, commands=commands, guarded=True, plain=True)
