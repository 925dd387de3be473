"""The words of one home: its names, rooms and floors, beside those of the language.

>>> from penchant_sdk.home.types import Entity
>>> home = HomeWords("en", (Entity("light.bed", "bedside lamp", room="bedroom"),))
>>> [feature.value for feature in home.phrases[("bedside", "lamp")] if feature.category == "entity"]
['light.bed']
>>> home.of_kind("light")[0].name
'bedside lamp'
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from penchant_sdk.home.reading.lexicon import Feature, lexicon, stems
from penchant_sdk.home.reading.spoken_text import normal
from penchant_sdk.home.types import Entity

DOMAIN_OF = {
    **dict.fromkeys(("light",), "light"),
    **dict.fromkeys(("fan", "purifier"), "fan"),
    **dict.fromkeys(("thermostat", "ac"), "climate"),
    **dict.fromkeys(
        ("blind", "curtain", "shutter", "awning", "garage", "gate", "window", "door"), "cover"
    ),
    **dict.fromkeys(("tv", "speaker"), "media_player"),
    **dict.fromkeys(("plug", "switch", "coffee", "kettle"), "switch"),
    **{kind: kind for kind in ("lock", "vacuum", "humidifier", "water_heater", "valve", "camera")},
    "mower": "lawn_mower",
    "alarm": "alarm_control_panel",
    "siren": "siren",
    "scene": "scene",
    "timer": "timer",
}
"""Domain in which devices of a kind are found, whatever their names."""
_ALIKE = (
    frozenset({"thermostat", "ac"}),
    frozenset({"blind", "curtain", "shutter"}),
    frozenset({"lock", "door"}),
    frozenset({"garage", "gate", "door"}),
    frozenset({"plug", "switch"}),
)
"""Kinds that people name for one another if the home has only one of them."""
_ARTICLES = ("the", "a", "an", "of", "的")
_FLOORS = {
    "up": (
        "upstairs",
        "upper",
        "first",
        "second",
        "top",
        "1",
        "2",
        "楼上",
        "二楼",
        "2楼",
        "二",
        "三楼",
    ),
    "down": ("downstairs", "ground", "lower", "0", "楼下", "一楼", "1楼", "一"),
}
_MOST_WORDS = 12


class HomeWords:
    """All phrases that mean something in one home."""

    def __init__(self, language: str, entities: Sequence[Entity]) -> None:
        """Joins the names of a home to the lexicon of a language."""
        self.language = language
        self.entities = tuple(entities)
        self.by_id = {entity.id: entity for entity in entities}
        words = lexicon(language)
        self._lexicon = words
        found: dict[tuple[str, ...], frozenset[Feature]] = dict(words.phrases)
        self._rooms = self._places()
        for phrase, features in words.phrases.items():
            if any(one.category == "room" for one in features):
                found[phrase] = features - _of(features, "room") | self._room(features)
        for form, room in self._room_names():
            kept = found.get(form, frozenset()) - _of(found.get(form, frozenset()), "noroom")
            found[form] = kept | {Feature("room", room)}
        for form, floor in self._floor_names():
            found[form] = found.get(form, frozenset()) | {Feature("floor", floor)}
        self.kinds = {entity.id: self._kinds(entity) for entity in entities}
        self.room_of = {entity.id: entity.room or self._room_in(entity) for entity in entities}
        self.groups = {entity.id: kind for entity in entities if (kind := self._group_kind(entity))}
        """Entities that stand for all of a kind, by id: the kind."""
        self._names: dict[tuple[str, ...], set[str]] = {}
        for entity in entities:
            for form in self._name_forms(entity):
                self._names.setdefault(form, set()).add(entity.id)
        for form, ids in self._names.items():
            named = frozenset(Feature("entity", id) for id in ids)
            found[form] = found.get(form, frozenset()) | named
        self.phrases = found
        self.longest = max(len(form) for form in found)
        names = {word for form in self._names for word in form}
        self.vocabulary = words.words | names | {word for form in found for word in form}
        self.name_words = names
        self.name_forms = tuple(self._names)
        self.distinctive = self._distinctive()

    def of_kind(self, kind: str, *, loosely: bool = True) -> list[Entity]:
        """Entities of a kind, groups left out; devices that are much alike if there are none.

        Args:
            kind: a kind of the lexicon.
            loosely: whether to take what is alike, or in the same domain, if nothing is named so.
        """
        single = [one for one in self.entities if one.id not in self.groups]
        exact = [one for one in single if kind in self.kinds[one.id]]
        if exact or not loosely:
            return exact
        for alike in _ALIKE:
            if kind in alike:
                near = [one for one in single if self.kinds[one.id] & alike]
                if near:
                    return near
        domain = DOMAIN_OF.get(kind, "-")
        nameless = [
            one for one in single if one.domain == domain and not self._named_kinds(one) - {domain}
        ]
        return nameless if kind in ("tv", "speaker", "thermostat", "ac", "vacuum", "blind") else []

    def is_main(self, entity: Entity) -> bool:
        """Whether an entity is called after its kind alone, or its room and kind: bedroom light."""
        room = self._form(self.room_of[entity.id]) if self.room_of[entity.id] else ()
        form = self._form(entity.name)
        bare = form[len(room) :] if room and form[: len(room)] == room else form
        means = self._lexicon.phrases.get(bare, frozenset())
        return len(bare) == 1 and any(one.category == "kind" for one in means)

    def _kinds(self, entity: Entity) -> frozenset[str]:
        kinds = self._named_kinds(entity)
        own = {
            "light": "light",
            "fan": "fan",
            "vacuum": "vacuum",
            "lawn_mower": "mower",
            "lock": "lock",
            "valve": "valve",
            "humidifier": "humidifier",
            "water_heater": "water_heater",
            "camera": "camera",
            "siren": "siren",
            "alarm_control_panel": "alarm",
            "scene": "scene",
            "script": "scene",
            "automation": "scene",
            "timer": "timer",
        }.get(entity.domain, "")
        if entity.domain == "climate" and not kinds & {"thermostat", "ac"}:
            own = "thermostat"
        if entity.domain == "cover" and entity.device_class:
            own = "blind" if entity.device_class == "shade" else entity.device_class
        if entity.domain == "media_player" and entity.device_class in ("tv", "speaker"):
            own = entity.device_class
        if entity.domain in ("switch", "input_boolean") and not kinds:
            own = "switch"
        if entity.domain == "switch" and entity.device_class == "outlet":
            own = "plug"
        apart = {"light"} if entity.domain not in ("light", "switch", "input_boolean") else set()
        return frozenset((kinds | ({own} if own else set())) - apart)

    def _named_kinds(self, entity: Entity) -> set[str]:
        """Kinds that the names of an entity say: its last words do, as in coffee machine."""
        kinds = set[str]()
        for name in (entity.name, *entity.aliases):
            form = self._form(name)
            spans = [
                form[start:end] for start, end in itertools.combinations(range(len(form) + 1), 2)
            ]
            for span in sorted(spans, key=len, reverse=True):
                own = {
                    one.value
                    for one in self._lexicon.phrases.get(span, frozenset())
                    if one.category == "kind"
                }
                if own and (span == form[-len(span) :] or len(span) == len(form) or not kinds):
                    kinds |= own
                    break
        return kinds

    def _group_kind(self, entity: Entity) -> str:
        for name in (entity.name, *entity.aliases):
            form = self._form(name)
            for end in range(len(form), 0, -1):
                head = self._lexicon.phrases.get(form[:end], frozenset())
                if any(one.category == "group" for one in head):
                    rest = self._lexicon.phrases.get(form[end:], frozenset())
                    kind = next((one.value for one in rest if one.category == "kind"), "")
                    if kind:
                        return kind
        return ""

    def _form(self, name: str) -> tuple[str, ...]:
        form = stems(normal(name, self.language), self.language)
        return tuple(word for word in form if word not in (*_ARTICLES, ",")) or form

    def _name_forms(self, entity: Entity) -> Iterator[tuple[str, ...]]:
        for name in (entity.name, *entity.aliases):
            full = stems(normal(name, self.language), self.language)
            yield full
            bare = self._form(name)
            yield bare
            if (
                self.language == "zh-CN"
                and entity.room
                and bare[: len(entity.room)] == tuple(entity.room)
            ):
                yield (*entity.room, "的", *bare[len(entity.room) :])

    def _places(self) -> dict[str, list[str]]:
        """The home's rooms by the room of the lexicon that they are called after."""
        places: dict[str, list[str]] = {}
        for room in dict.fromkeys(one.room for one in self.entities if one.room):
            features = self._lexicon.phrases.get(self._form(room), frozenset())
            for one in _of(features, "room"):
                places.setdefault(one.value, []).append(room)
        return places

    def _room(self, features: frozenset[Feature]) -> frozenset[Feature]:
        named = next(iter(_of(features, "room"))).value
        rooms = self._rooms.get(named, [])
        return frozenset(
            {Feature("room", rooms[0]) if len(rooms) == 1 else Feature("noroom", named)}
        )

    def _room_names(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for room in dict.fromkeys(one.room for one in self.entities if one.room):
            yield stems(normal(room, self.language), self.language), room

    def _room_in(self, entity: Entity) -> str:
        """The room that the name of an entity without one begins with."""
        form = self._form(entity.name)
        for place, rooms in self._rooms.items():
            for end in range(len(form) - 1, 0, -1):
                features = self._lexicon.phrases.get(form[:end], frozenset())
                if Feature("room", place) in features and len(rooms) == 1:
                    return rooms[0]
        return ""

    def _floor_names(self) -> Iterator[tuple[tuple[str, ...], str]]:
        for floor in dict.fromkeys(one.floor for one in self.entities if one.floor):
            form = stems(normal(floor, self.language), self.language)
            if self.language == "zh-CN":
                yield (form if floor.endswith("楼") else (*form, "楼")), floor
            elif form[-1] in ("floor", "stair", "upstair", "downstair"):
                yield form, floor
            else:
                yield (*form, "floor"), floor
            for way, words in _FLOORS.items():
                if any(word in (floor.casefold(), *floor.casefold().split()) for word in words):
                    for phrase, features in self._lexicon.phrases.items():
                        if Feature("floor", way) in features and len(phrase) == (
                            1 if self.language == "en" else 2
                        ):
                            yield phrase, floor

    def _distinctive(self) -> dict[str, str]:
        """Words that are in the names of one entity alone and mean nothing else: its id."""
        owners: dict[str, set[str]] = {}
        for form, ids in self._names.items():
            for word in form:
                owners.setdefault(word, set()).update(ids)
        return {
            word: next(iter(ids))
            for word, ids in owners.items()
            if len(ids) == 1 and len(word) > 3 and (word,) not in self._lexicon.phrases
        }


def _of(features: frozenset[Feature], category: str) -> frozenset[Feature]:
    return frozenset(one for one in features if one.category == category)
