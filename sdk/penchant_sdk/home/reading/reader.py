"""Reads a sentence: its commands in order, or why it is none.

>>> from penchant_sdk.home.types import Entity
>>> reader = Reader("en", (Entity("light.k", "kitchen light", room="kitchen"),))
>>> reading = reader.read("could you dim the lights in the kitchen a bit", "")
>>> reading.commands[0].intent, reading.commands[0].parameter, reading.full
('HassLightSet', BrightnessStep(percent=-10), True)
>>> reader.read("do not turn off the kitchen light", "").refused
'negated'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from penchant_sdk.home._actions import intents_of
from penchant_sdk.home.parameters import Area, VolumeStep, named_value
from penchant_sdk.home.reading.adjuncts import trimmed, without_adjuncts
from penchant_sdk.home.reading.asides import (
    changes,
    commands_left,
    in_its_room,
    is_explicit,
    is_mere_reason,
    left_over,
    parts_of,
    tells_first,
    with_name,
)
from penchant_sdk.home.reading.clause_splitting import doubled, joined, split
from penchant_sdk.home.reading.clause_times import clocked, time_of
from penchant_sdk.home.reading.clauses import Clause, gather, is_target
from penchant_sdk.home.reading.commands import Command, Reading, doubted
from penchant_sdk.home.reading.grounding import STANDING, Grounded, grounded, rest_of
from penchant_sdk.home.reading.home_queries import READ, read_query
from penchant_sdk.home.reading.home_words import HomeWords
from penchant_sdk.home.reading.intentions import (
    ends_it,
    is_directed,
    is_reason,
    likely_kind,
    repeats,
)
from penchant_sdk.home.reading.lexicon import real_words
from penchant_sdk.home.reading.loose_words import is_loose
from penchant_sdk.home.reading.marks import TIME, Mark, mark_up
from penchant_sdk.home.reading.mere_talk import is_mere_talk
from penchant_sdk.home.reading.needs import command_for
from penchant_sdk.home.reading.spelling_slips import Speller
from penchant_sdk.home.reading.spoken_text import normal, symbols
from penchant_sdk.home.reading.spoken_times import take_times
from penchant_sdk.home.reading.spoken_values import SaidValue, percent_of, said_value
from penchant_sdk.home.reading.stance import (
    is_of_any,
    is_query,
    is_statement,
    means_something,
    refusal,
    tells_of_doing,
    unknown_words,
    without_condition,
    without_correction,
)
from penchant_sdk.home.reading.state_questions import common_domain
from penchant_sdk.home.reading.turns_of_phrase import plainly
from penchant_sdk.home.reading.unsaid import settled, usual
from penchant_sdk.home.reading.verbs import OFF, ON, SETS, Wish, implied_kind, verb
from penchant_sdk.home.types import Entity
from penchant_sdk.home.when import When

LONGEST = 400
"""Characters of the longest sentence that is read; a longer one is no command."""
_LEAST_BARE = 5
"""A smaller number that stands alone may count something else: lights 2."""
CLEAN_AREA = "HassVacuumCleanArea"
KIND_OF = {
    "climate": "thermostat",
    "cover": "blind",
    "media_player": "speaker",
    "lawn_mower": "mower",
    "switch": "plug",
    "alarm_control_panel": "alarm",
}
"""Kind of the lexicon by domain, where it has another name."""


class Reader:
    """Reads sentences of one language about one home."""

    def __init__(self, language: str, entities: Sequence[Entity]) -> None:
        """Prepares the words of a home, which takes some 30 ms.

        Args:
            language: en or zh-CN.
            entities: the home's entities.
        """
        self._language = language
        self.words = HomeWords(language, entities)
        spelt = language == "en"
        self._speller = (
            Speller(
                self.words.vocabulary,
                real_words(),
                self.words.name_words,
                self.words.name_forms,
            )
            if spelt
            else None
        )

    def read(self, text: str, room: str) -> Reading:
        """What a sentence says; takes about 0.5 ms.

        Args:
            text: the sentence.
            room: the speaker's room. Empty: unknown.
        """
        if len(text) > LONGEST:
            return Reading(refused="long")
        said = plainly(normal(text, self._language), self._language)
        plain, times = take_times(said, self._language)
        words, slips = symbols(plain, self._language), 0
        if self._speller is not None:
            words, slips = self._speller.corrected(words)
        reading = self._read(words, slips, times, room)
        told = self._language == "en" and tells_first(words)
        if reading.full and tells_of_doing(mark_up(words, self.words), said):
            return doubted(reading, "verb")
        if reading.full and not told:
            return self._felt(reading, said, room)
        if is_of_any(said):
            return doubted(reading, "verb")
        if reading.refused in ("", "past", "reported", "asked", "negated"):
            part = self._part(words, slips, times, room)
            if part is not None:
                return doubted(part, "aside") if self._talks(mark_up(words, self.words)) else part
        if told and reading.commands:
            reading = doubted(reading, "aside")
        return self._needed(reading, said, room)

    def _talks(self, marks: Sequence[Mark]) -> bool:
        return self._language == "en" and is_mere_talk(marks)

    def _part(
        self, words: Sequence[str], slips: int, times: Sequence[When], room: str
    ) -> Reading | None:
        """The command of a sentence that also says why, to ask about; None if there is none."""
        for part in parts_of(words, self._language):
            rest = left_over(words, part)
            marks = mark_up(rest, self.words)
            before = words[: len(rest)] == rest
            told = before and rest[-1] in ("so", "but")
            if changes(marks, told=told, before=before) or commands_left(marks, rest):
                continue
            named = with_name(part, marks, self.words)
            reading = self._read(named, slips, times, room)
            clear = reading.plain or rest[-1] == ","
            if reading.full and clear and is_mere_reason(marks, rest, part, before=before):
                there = bool({*part} & {"there", "it", "them"})
                return self._placed(reading, marks, named, slips, times, room, there=there)
            if reading.full and (not before or reading.plain or reading.commands[0].intent in READ):
                return doubted(reading, "aside")
        return None

    def _placed(
        self,
        reading: Reading,
        aside: Sequence[Mark],
        part: list[str],
        slips: int,
        times: Sequence[When],
        room: str,
        *,
        there: bool,
    ) -> Reading:
        """The reading of a part in the room that the words beside it name, if it names none.

        "I'm in the kitchen, turn the light on there" is plain; without "there" it is asked about.
        """
        rooms = {value for mark in aside for value in mark.values("room")}
        own = mark_up(part, self.words)
        if not rooms or any(mark.has(one) for mark in own for one in ("room", "entity", "group")):
            return reading
        if len(rooms) > 1:
            return doubted(reading, "aside")
        placed = self._read(in_its_room(part, aside, self.words), slips, times, room)
        return placed if placed.full and there else doubted(placed, "aside")

    def _felt(self, reading: Reading, said: str, room: str) -> Reading:
        """A reading in full, unless it only says how somebody feels: that is asked about."""
        if reading.plain or reading.wished or not command_for(said, self._language):
            return reading
        needed = self._needed(Reading(), said, room)
        return needed if needed.commands and not is_explicit(said) else reading

    def _needed(self, reading: Reading, said: str, room: str) -> Reading:
        """What somebody needs who says no command, to ask about."""
        if reading.refused in ("reported", "undone", "long") or (
            reading.grounded and reading.worth_asking
        ):
            return reading
        command = command_for(said, self._language)
        if not command:
            return reading
        plain = symbols(command, self._language)
        heard = mark_up(symbols(said, self._language), self.words)
        for words in (in_its_room(plain, heard, self.words), plain):
            needed = self._read(words, 0, (), room)
            if needed.commands and all(one.choices and not one.missing for one in needed.commands):
                return doubted(needed, "need")
        return reading

    def _read(self, words: Sequence[str], slips: int, times: Sequence[When], room: str) -> Reading:
        """What the symbols of a sentence say."""
        marks = without_adjuncts(trimmed(mark_up(words, self.words)), self._language)
        if any("timer" in mark.values("kind") for mark in marks):
            return Reading(understood=1)  # The templates know timers better.
        if marks and marks[-1].has("undo"):
            return Reading(refused="undone")
        undone = any(mark.has("refuse") for mark in marks)
        if undone and all(mark.has("refuse") or mark.has("filler") for mark in marks):
            return Reading(refused="undone")
        understood = sum(means_something(mark) for mark in marks)
        refused = refusal(marks)
        query = is_query(marks, self._language)
        if query and not refused:
            return read_query(marks, self.words, understood, slips, room)
        if refused:
            return Reading(refused=refused, unknown=unknown_words(marks), understood=understood)
        marks, corrected = without_correction(marks)
        marks, condition = without_condition(marks, self._language)
        clauses = joined([settled(gather(part)) for part in split(marks)])
        if not clauses or all(clause.empty for clause in clauses):
            return Reading(unknown=unknown_words(marks), understood=understood)
        if any(clause.negated for clause in clauses):
            return Reading(refused="negated", unknown=unknown_words(marks), understood=understood)
        commands: list[Command] = []
        clauses = [part for clause in clauses for part in doubled(clause)]
        told = is_statement(marks, self._language) or self._talks(marks)
        loose = is_loose(marks, self._language)
        weighed = (("verb", told), ("aside", loose), ("corrected", corrected))
        beside = tuple(doubt for doubt, holds in weighed if holds)
        for clause in clauses:
            command = self._command(clause, room, times, commands)
            if command is None or (
                command.missing
                and not (clause.directive or clause.polite or clause.wanted)
                and any(other.directive for other in clauses)
            ):
                continue  # "I am watching tv, so less light", where there is no tv.
            doubts = (*command.doubts, *beside)
            if condition:
                doubts = (*doubts, "later")
                command = dataclasses.replace(
                    command, when=dataclasses.replace(command.when, said=condition)
                )
            if ends_it(command, commands) or repeats(command, commands):
                continue
            if is_reason(clauses, clause, commands, command):
                commands.pop()
            commands.append(dataclasses.replace(command, doubts=doubts))
        timed = any(mark.has(TIME) or mark.has("time") for mark in marks)
        if timed and all(one.when.now for one in commands):  # No time is dropped in silence.
            commands = [dataclasses.replace(one, doubts=(*one.doubts, "later")) for one in commands]
        clear = [one for one in commands if one.choices or one.missing]
        if any(one.choices and "target" not in one.doubts for one in clear):
            commands = clear
        unknown = tuple(word for clause in clauses for word in clause.unknown)
        guarded = bool(
            corrected
            or condition
            or any(clause.excluded or clause.later or clause.whens for clause in clauses)
            or any("value" in one.doubts for one in commands)
            or any(word in STANDING for clause in clauses for word in clause.words)
        )
        said = any(clause.named and clause.directive for clause in clauses)
        wished = any(
            (clause.moved and (clause.polite or clause.wanted or clause.neutral))
            or (clause.named and clause.wanted and not clause.personal)
            for clause in clauses
        )
        subject = next((one for one in marks if one.has("want") or is_target(one)), None)
        if subject is not None and not subject.has("want"):
            wished = False  # "The kitchen needs a good clean" may complain.
        return Reading(tuple(commands), "", unknown, understood, guarded, slips, said, wished)

    def _command(
        self, clause: Clause, room: str, times: Sequence[When], before: Sequence[Command]
    ) -> Command | None:
        kind = "" if clause.named else implied_kind(clause)
        if not (clause.targeted or kind or clause.moved or clause.quantities):
            return None
        guessed = "" if kind or clause.targeted else likely_kind(clause)
        if clause.kept and not clause.moved:  # "Leave the lamp", beside "turn the rest off".
            return None
        if "rest" in clause.groups and not clause.named:
            found = rest_of(before, self.words)
        else:
            found = grounded(clause, kind or guessed, self.words, room)
        when, later = time_of(clause, times)
        doubtful = found.doubtful or bool(guessed) or clause.either or not is_directed(clause)
        doubts = ["target"] if doubtful else []
        if later:
            doubts.append("later")
        if found.missing:
            return Command("", missing=found.missing, when=when, doubts=tuple(doubts))
        if not found.choices:
            if not clause.moved or clause.personal:
                return None
            guess = verb(clause, "light") or verb(clause, "switch")
            return Command(guess.intent if guess else "", when=when, doubts=("target", *doubts))
        return self._decided(clause, found, when, doubts)

    def _decided(
        self, clause: Clause, found: Grounded, when: When, doubts: list[str]
    ) -> Command | None:
        domain = common_domain(found.choices[0])
        clause, when, unclear = clocked(clause, when, domain)
        if unclear:
            doubts.append("value")
        # An intent of one domain may mean the opposite in another: off closes, but unlocks.
        alike = tuple(choice for choice in found.choices if common_domain(choice) == domain)
        found = dataclasses.replace(found, choices=alike)
        asked = verb(clause, domain)
        if asked is None:
            asked = usual(clause, found, self.words)
        switched = asked is None or asked.intent in (ON, OFF)
        if switched and ON not in intents_of(found.choices[0][0]):
            return None  # A shopping list is not switched.
        if asked is None:
            clear = clause.moved and not (clause.particles or clause.rels)
            return Command(
                ON,
                found.choices,
                when=when,
                doubts=("verb", *doubts),
                alternatives=(OFF,) if not clear else (),
            )
        if asked.doubtful:
            doubts.append("verb")
        value = said_value(clause, asked)
        if asked.intent in SETS.values() and not (clause.valued or asked.change or clause.by):
            value = SaidValue(impossible=True)
        unused = asked.intent in (ON, OFF) and bool(
            clause.numbers or clause.colours or clause.kelvins or set(clause.levels) - {"max"}
        )
        if domain == "switch" and not clause.at_number:  # Coffee for two.
            units = any(unit for _, unit in clause.numbers)
            unused = bool(clause.colours or clause.kelvins or units)
        unused |= clause.numbered and bool(clause.rels or clause.ops) and not clause.toward
        bare = any(not unit and number < _LEAST_BARE for number, unit in clause.numbers)
        unused |= bare and not (clause.toward or clause.by or clause.quantities or clause.neutral)
        unused |= bare and domain == "fan" and not clause.by  # Speed 2 is a notch, not 2 percent.
        still = value.parameter is not None and not named_value(value.parameter)[1]
        if (
            (still and asked.change)
            or value.doubtful
            or len(clause.numbers) > 1
            or (unused and domain != "cover")
        ):
            doubts.append("value")
        intent, parameter = asked.intent, value.parameter
        if intent == "HassSetVolume" and isinstance(parameter, VolumeStep):
            intent = "HassSetVolumeRelative"
        if found.areas and intent == "HassVacuumStart":
            intent, parameter = CLEAN_AREA, Area(found.areas[0])
        if intent == "HassSetPosition" and percent_of(parameter) in (0, 100):
            intent, parameter = (ON if percent_of(parameter) else OFF), None
        return Command(
            intent,
            found.choices,
            parameter,
            value.impossible,
            asked.change,
            clause.valued or clause.by,
            when,
            tuple(doubts),
        )

    def suited(self, text: str, room: str, intent: str, kind: str, change: int) -> Command:
        """The command of an intent that was found otherwise, with what the sentence names.

        Args:
            text: the sentence.
            room: the speaker's room. Empty: unknown.
            intent: the intent.
            kind: kind or domain of the device that is meant if none is named.
            change: 1 for more, -1 for less, 0 for neither.
        """
        plain, _ = take_times(normal(text, self._language), self._language)
        clause = gather(mark_up(symbols(plain, self._language), self.words))
        found = grounded(clause, "" if clause.named else KIND_OF.get(kind, kind), self.words, room)
        able = tuple(
            choice for choice in found.choices if all(intent in intents_of(one) for one in choice)
        )
        value = said_value(clause, Wish(intent, change)) if clause.valued else SaidValue()
        return Command(intent, able, value.parameter, value.impossible, change, clause.valued)
