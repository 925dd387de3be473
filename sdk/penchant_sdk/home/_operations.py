"""The home client's verbs as operations, made of those of `penchant_sdk._operations`.

`interpret` makes no call for a sentence that is understood in full and means a single action, one
call (a ranking) if a habit may decide, and another (the sentence's vector) for a free sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from penchant_sdk import _arguments, _operations
from penchant_sdk._operations import Operation
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._actions import PLAIN, groups_of, items_of, quantised
from penchant_sdk.home._candidates import candidates, needs_value
from penchant_sdk.home._caution import Sense, confidence
from penchant_sdk.home._exact import ExactMatcher
from penchant_sdk.home._frames import Frame
from penchant_sdk.home._habits import by_habit, part_of_day
from penchant_sdk.home._nearest import VOTING, Nearest, Voting, as_array, exemplars
from penchant_sdk.home._risk import READS, is_risky
from penchant_sdk.home._sentences import HOW_MUCH, WHICH, at_once, either, no_such, question
from penchant_sdk.home._states import absolute, next_time
from penchant_sdk.home._targets import command_of
from penchant_sdk.home.reading.commands import Command, Reading
from penchant_sdk.home.reading.home_queries import TEMPERATURE
from penchant_sdk.home.reading.lexicon import LANGUAGES
from penchant_sdk.home.reading.reader import Reader
from penchant_sdk.home.spelling import spelt
from penchant_sdk.home.types import (
    TIMER,
    Action,
    Asked,
    DeviceState,
    Entity,
    Interpretation,
    Suggestion,
    Understood,
)
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Ranking

TEXTS_PER_CALL = 32
"""Sentences encoded in one call; one core takes well under a second for them."""
_ASKED_FROM = 0.8
"""Confidence of a vote below which a sentence is refused rather than asked about."""
_NOWHERE = Ranking("", (), (), 0, 0, "", True)


class Home:
    """A client's state: the home's entities, and the matchers built from them."""

    def __init__(
        self,
        language: str,
        listed: Collection[str],
        voting: Voting | None = None,
        *,
        schedules: bool = False,
    ) -> None:
        """Makes a home without entities.

        Args:
            language: en or zh-CN.
            listed: entities that always ask for confirmation; see `is_risky`.
            voting: how the nearest sentences decide. None: the language's default.
            schedules: whether the hub carries out actions at their time, `Action.when`.

        Raises:
            InvalidRequest: the language is not supported.
        """
        if language not in LANGUAGES:
            expected = ", ".join(LANGUAGES)
            raise InvalidRequest(f"language: got {language!r}, expected one of {expected}")
        self.language = language
        self.listed = frozenset(listed)
        self.voting = voting or VOTING[language]
        self.schedules = schedules
        self.nearest: Nearest | None = None
        self.take(())

    def take(self, entities: Sequence[Entity]) -> None:
        """Replaces the home's entities."""
        self.entities = tuple(entities)
        self.by_id = {entity.id: entity for entity in (*entities, TIMER)}
        self.exact = ExactMatcher(self.language, self.entities)
        self.reader = Reader(self.language, self.entities)
        self._groups = {tuple(one.id for one in group) for group in groups_of(entities)}

    def has_item(self, action: Action) -> bool:
        """Whether the catalog has an item of an action: of one entity, or of a room's lights."""
        return len(action.entities) < 2 or action.entities in self._groups

    def of(self, action: Action) -> list[Entity]:
        """The entities of an action."""
        return [self.by_id[id] for id in action.entities if id in self.by_id]


def register(home: Home, entities: Sequence[Entity]) -> Operation[PutItemsResult]:
    """See `HomeClient.register`."""
    ids = [entity.id for entity in entities]
    if len(set(ids)) < len(ids) or TIMER.id in ids:
        raise InvalidRequest(f"entities: got {ids}, expected distinct ids other than {TIMER.id}")
    result = yield from _operations.put_items(items_of(entities, home.language))
    home.take(entities)
    yield from learn(home, "")
    return result


def learn(home: Home, encoder_version: str) -> Operation[Nearest]:
    """Encodes the known sentences with an encoder version; empty: the catalog's encoder."""
    known, parts = exemplars(home.language), []
    for start in range(0, len(known), TEXTS_PER_CALL):
        texts = [spelt(one.text) for one in known[start : start + TEXTS_PER_CALL]]
        embeddings = yield from _operations.embed(texts, encoder_version)
        encoder_version = embeddings.encoder_version
        parts.append(embeddings)
    home.nearest = Nearest(known, parts, home.voting)
    return home.nearest


def interpret(
    home: Home,
    text: str,
    user: str,
    room: str,
    at: datetime | None,
    states: Mapping[str, DeviceState] | None,
) -> Operation[Interpretation]:
    """See `HomeClient.interpret`."""
    said = " ".join(_arguments.text("text", text, empty=True).split())
    _arguments.text("user", user, empty=True)
    _arguments.text("room", room, empty=True)
    if at is not None:
        _arguments.instance("at", at, datetime)
    if not said or not user:
        raise InvalidRequest(f"text, user: got {text!r}, {user!r}, expected 1 character or more")
    now = at or datetime.now().astimezone()
    bare = Interpretation(said, user, room, part_of_day(now), exact=False, suggestions=())
    sense = yield from _sense(home, said, room)
    if not sense.commands:
        return bare
    bare = dataclasses.replace(bare, exact=sense.exact)
    missing = next((one.missing for one in sense.commands if one.missing), "")
    if missing:
        return dataclasses.replace(bare, question=no_such(missing, home.language))
    answered: list[_Answered] = []
    for command in sense.commands:
        timed = dataclasses.replace(command, when=next_time(command.when, now))
        answer = yield from _answered(home, bare, sense, timed, states or {})
        if answer is None:
            return dataclasses.replace(bare, question=WHICH[home.language])
        answered.append(answer)
    return _joined(home, bare, sense, answered)


@dataclasses.dataclass(frozen=True, slots=True)
class _Answered:
    """The suggestions of one command, and the id of the ranking that ordered them."""

    suggestions: tuple[Suggestion, ...]
    recommendation_id: str


def _sense(home: Home, said: str, room: str) -> Operation[Sense]:
    """What a sentence asks for: by reading it, by a template, or by its nearest known sentences."""
    reading = home.reader.read(said, room)
    if reading.full:
        return Sense(reading.commands, reading, exact=True)
    if reading.refused in ("negated", "reported", "past", "long"):
        return Sense((), reading)
    frame = home.exact.match(said, in_room=bool(room))
    if frame is not None and _may_match(frame, reading):
        command = command_of(frame, home.entities, room)
        if command.choices or command.plain or not reading.worth_asking:
            return Sense((command,), reading, exact=True)
    if reading.refused:
        return Sense((), reading)
    if reading.worth_asking and (reading.grounded or any(one.missing for one in reading.commands)):
        return Sense(reading.commands, reading)
    voted = yield from _voted(home, said, room, reading)
    return voted if voted.commands or not reading.worth_asking else Sense(reading.commands, reading)


def _may_match(frame: Frame, reading: Reading) -> bool:
    """Whether a template may decide, which knows no negation, exception or time of day."""
    if frame.intent == TEMPERATURE and not (frame.name or frame.room or frame.floor):
        return False  # It may be asked about the weather.
    if frame.intent in READS:
        return reading.refused in ("", "asked", "undone")
    timer = "Timer" in frame.intent
    return reading.refused in ("", "asked" if timer else "") and (timer or not reading.guarded)


def _voted(home: Home, said: str, room: str, reading: Reading) -> Operation[Sense]:
    """What the nearest known sentences ask for, about a device of the home."""
    (frame,) = yield from _nearest_of(home, [said])
    if frame is None or frame.intent in PLAIN or reading.guarded:
        return Sense((), reading)
    change = {"up": 1, "down": -1}.get(frame.change, 0)
    if "Timer" in frame.intent:
        return Sense((), reading)
    command = home.reader.suited(said, room, frame.intent, frame.kind, change)
    sense = Sense((command,), reading, voted=frame.confidence, cosine=frame.cosine)
    if not command.choices or confidence(sense, command) < min(_ASKED_FROM, home.voting.sure_above):
        return Sense((), reading)
    return sense


def context_of(said: Interpretation) -> dict[str, str]:
    """The context of the ranking and of its events: habits depend on room and part of day."""
    where = {"room": said.room} if said.room else {}
    return {"part_of_day": said.part_of_day, **where}


def _items(options: Sequence[Action]) -> list[str]:
    return [quantised(option).id for option in options]


def understand(home: Home, texts: Sequence[str]) -> Operation[tuple[Understood | None, ...]]:
    """See `HomeClient.understand`."""
    found: list[Understood | None] = []
    for start in range(0, len(texts), TEXTS_PER_CALL):
        frames = yield from _nearest_of(home, texts[start : start + TEXTS_PER_CALL])
        found += [
            None if frame is None else Understood(frame.intent, frame.confidence)
            for frame in frames
        ]
    return tuple(found)


def _nearest_of(home: Home, texts: Sequence[str]) -> Operation[list[Frame | None]]:
    """The frame of each text by its nearest known sentences, all from the same encoder."""
    embeddings = yield from _operations.embed([spelt(text) for text in texts], "")
    nearest = home.nearest
    if nearest is None or nearest.encoder_version != embeddings.encoder_version:
        nearest = yield from learn(home, embeddings.encoder_version)
    return [nearest.frame(vector) for vector in as_array(embeddings)]


def _answered(
    home: Home,
    bare: Interpretation,
    sense: Sense,
    command: Command,
    states: Mapping[str, DeviceState],
) -> Operation[_Answered | None]:
    """The suggestions of a command, the best first; None if it is unclear what it is about.

    Nothing but this decides whether an action may be done at once.
    """
    options = candidates(command)
    if not options:
        return None
    ranking, habits = _NOWHERE, set[str]()
    ranked = [option for option in options if home.has_item(option)]
    if len(ranked) > 1 and not command.doubts:
        ranking = yield from _operations.rank(
            bare.user,
            k=len(ranked),
            candidates=dict.fromkeys(_items(ranked)),
            context=context_of(bare),
            explain=True,
        )
        options, habits = by_habit(options, ranking.items)
    sure = confidence(sense, command)
    suggestions = []
    for option in options:
        action = absolute(option, states)
        unsure = sure < home.voting.sure_above or needs_value(action)
        later = not action.when.now and (not home.schedules or not action.when.understood)
        asked = Asked.UNSURE if unsure or later else Asked.NOT
        if _is_risky(home, action):
            asked = Asked.RISKY
        if command.plain:
            asked = Asked.ELSEWHERE
        suggestions.append(Suggestion(action, sure, asked, option.id in habits))
    return _Answered(tuple(suggestions), ranking.recommendation_id)


def _is_risky(home: Home, action: Action) -> bool:
    """Whether an action needs confirmation for any of its entities."""
    if not action.entities:
        return is_risky(action, None, home.listed)
    return any(is_risky(action, home.by_id.get(id), home.listed) for id in action.entities)


def _joined(
    home: Home, bare: Interpretation, sense: Sense, answered: Sequence[_Answered]
) -> Interpretation:
    """The interpretation of a sentence from the answers to its commands."""
    first, *others = answered
    then = tuple(one.suggestions[0] for one in others)
    wanted = (first.suggestions[0], *then)
    ask = ""
    if any(one.asked not in (Asked.NOT, Asked.ELSEWHERE) for one in wanted):
        ask = _question(home, sense, first.suggestions, [one.action for one in wanted])
    return dataclasses.replace(
        bare,
        suggestions=first.suggestions,
        then=then,
        question=ask,
        recommendation_id=first.recommendation_id,
    )


def _question(
    home: Home, sense: Sense, suggestions: Sequence[Suggestion], actions: Sequence[Action]
) -> str:
    """The one short question about actions of which at least one needs confirmation."""
    language, command = home.language, sense.commands[0]
    if any(needs_value(action) for action in actions):
        return HOW_MUCH[language]
    if len(actions) > 1:
        return question(actions, home.by_id, language)
    if "later" in command.doubts or not (actions[0].when.now or home.schedules):
        return at_once(actions, home.by_id, language)
    others = [one.action for one in suggestions[1:2] if {"target", "verb"} & set(command.doubts)]
    if others:
        return either(actions[0], others[0], home.by_id, language)
    return question(actions, home.by_id, language)
