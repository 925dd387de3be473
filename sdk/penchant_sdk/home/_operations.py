"""The home client's verbs as operations, made of those of `penchant_sdk._operations`.

`interpret` makes no call for an exact sentence with a single possible action, one call (a ranking)
if a habit may decide, and another (the sentence's vector) for a free sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from datetime import datetime

from penchant_sdk import _arguments, _operations
from penchant_sdk._operations import Operation
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._actions import PLAIN, items_of, quantised
from penchant_sdk.home._candidates import candidates, needs_value
from penchant_sdk.home._exact import ExactMatcher
from penchant_sdk.home._frames import Frame
from penchant_sdk.home._habits import by_habit, part_of_day
from penchant_sdk.home._nearest import VOTING, Nearest, Voting, as_array, exemplars
from penchant_sdk.home._risk import is_risky
from penchant_sdk.home._sentences import HOW_MUCH, WHICH, question
from penchant_sdk.home._slots import from_text
from penchant_sdk.home._targets import mentioned, targets
from penchant_sdk.home._words import WORDS
from penchant_sdk.home.spelling import spelt
from penchant_sdk.home.types import (
    TIMER,
    Action,
    Asked,
    Entity,
    Interpretation,
    Suggestion,
    Understood,
)
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Ranking

TEXTS_PER_CALL = 32
"""Sentences encoded in one call; one core takes well under a second for them."""
_NOWHERE = Ranking("", (), (), 0, 0, "", True)


class Home:
    """A client's state: the home's entities, and the matchers built from them."""

    def __init__(
        self, language: str, listed: Collection[str], voting: Voting | None = None
    ) -> None:
        """Makes a home without entities.

        Args:
            language: en or zh-CN.
            listed: entities that always ask for confirmation; see `is_risky`.
            voting: how the nearest sentences decide. None: the language's default.

        Raises:
            InvalidRequest: the language is not supported.
        """
        if language not in WORDS:
            raise InvalidRequest(f"language: got {language!r}, expected one of {', '.join(WORDS)}")
        self.language = language
        self.listed = frozenset(listed)
        self.voting = voting or VOTING[language]
        self.entities: tuple[Entity, ...] = ()
        self.exact = ExactMatcher(language, ())
        self.nearest: Nearest | None = None

    def take(self, entities: Sequence[Entity]) -> None:
        """Replaces the home's entities."""
        self.entities = tuple(entities)
        self.exact = ExactMatcher(self.language, self.entities)

    def entity(self, id: str) -> Entity | None:
        """The entity with an id; None if it is not registered."""
        return next((one for one in (*self.entities, TIMER) if one.id == id), None)


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
    home: Home, text: str, user: str, room: str, at: datetime | None
) -> Operation[Interpretation]:
    """See `HomeClient.interpret`."""
    said = " ".join(_arguments.text("text", text, empty=True).split())
    _arguments.text("user", user, empty=True)
    _arguments.text("room", room, empty=True)
    if at is not None:
        _arguments.instance("at", at, datetime)
    if not said or not user:
        raise InvalidRequest(f"text, user: got {text!r}, {user!r}, expected 1 character or more")
    now = part_of_day(at or datetime.now().astimezone())
    bare = Interpretation(said, user, room, now, exact=False, suggestions=())
    frame = home.exact.match(said, in_room=bool(room))
    if frame is None:
        frame = yield from _free(home, said)
    if frame is None:
        return bare
    found = targets(frame, home.entities, room)
    options = candidates(frame, found) if frame.intent not in PLAIN else [Action(frame.intent, "")]
    bare = dataclasses.replace(bare, exact=frame.exact)
    if not options:
        return dataclasses.replace(bare, question=WHICH[home.language])
    ranking, habits = _NOWHERE, set[str]()
    if len(options) > 1:
        ranking = yield from _operations.rank(
            user,
            k=len(options),
            candidates=dict.fromkeys(_items(options)),
            context=context_of(bare),
            explain=True,
        )
        options, habits = by_habit(options, ranking.items)
    return _answer(home, bare, frame, options, habits, ranking.recommendation_id)


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


def _free(home: Home, text: str) -> Operation[Frame | None]:
    (frame,) = yield from _nearest_of(home, [text])
    if frame is None:
        return None
    frame = mentioned(text, frame, home.entities, home.language)
    parameter, valueless = from_text(frame.intent, text, home.language)
    return dataclasses.replace(frame, parameter=parameter, valueless=valueless)


def _nearest_of(home: Home, texts: Sequence[str]) -> Operation[list[Frame | None]]:
    """The frame of each text by its nearest known sentences, all from the same encoder."""
    embeddings = yield from _operations.embed([spelt(text) for text in texts], "")
    nearest = home.nearest
    if nearest is None or nearest.encoder_version != embeddings.encoder_version:
        nearest = yield from learn(home, embeddings.encoder_version)
    return [nearest.frame(vector) for vector in as_array(embeddings)]


def _answer(
    home: Home,
    bare: Interpretation,
    frame: Frame,
    options: Sequence[Action],
    habits: Collection[str],
    recommendation_id: str,
) -> Interpretation:
    """Decides whether the best action may be done at once; nothing else decides that."""
    suggestions = []
    for option in options:
        entity = home.entity(option.entity)
        unsure = frame.confidence < home.voting.sure_above or needs_value(option)
        asked = Asked.UNSURE if unsure else Asked.NOT
        if is_risky(option, entity, home.listed):
            asked = Asked.RISKY
        suggestions.append(Suggestion(option, frame.confidence, asked, option.id in habits))
    first = suggestions[0]
    ask = ""
    if first.asked is not Asked.NOT:
        entity = home.entity(first.action.entity)
        ask = question(first.action, entity, home.language)
        if needs_value(first.action):
            ask = HOW_MUCH[home.language]
    return dataclasses.replace(
        bare,
        suggestions=tuple(suggestions),
        question=ask,
        recommendation_id=recommendation_id,
    )
