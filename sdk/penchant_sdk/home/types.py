"""Arguments and results of the home client: entities, actions and interpretations.

>>> from penchant_sdk.home.parameters import Brightness
>>> Action("HassLightSet", "light.bedside", Brightness(percent=20)).id
'home/light.bedside/HassLightSet/brightness=20'
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

from penchant_sdk._arguments import text, texts
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home.parameters import Parameter, named_value
from penchant_sdk.home.when import When

_LONGEST_IDS = 150
"""Most bytes of entity ids in an item's id."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A device, or anything else in the home that actions apply to.

    Raises:
        InvalidRequest: the id is not a domain and a name, or the name is empty.
    """

    id: str
    """Entity id of Home Assistant: a domain, a full stop and a name, as in light.desk."""
    name: str
    """Name that people use."""
    room: str = ""
    """Room of the entity. Empty: none."""
    floor: str = ""
    """Floor of the entity. Empty: none."""
    aliases: tuple[str, ...] = ()
    """Further names that people use."""
    device_class: str = ""
    """Device class of Home Assistant, for example garage for a cover. Empty: none."""

    def __post_init__(self) -> None:
        domain, dot, name = text("id", self.id, empty=True).partition(".")
        if not (domain and dot and name) or "/" in self.id:
            raise InvalidRequest(f"id: got {self.id!r}, expected a domain and a name, light.desk")
        for field in ("room", "floor", "device_class"):
            text(field, getattr(self, field), empty=True)
        texts("aliases", self.aliases)
        if not text("name", self.name, empty=True):
            raise InvalidRequest(f"name: got {self.name!r}, expected what {self.id} is called")

    @property
    def domain(self) -> str:
        """Domain of Home Assistant: light, cover, lock, ..."""
        return self.id.partition(".")[0]


TIMER = Entity("timer.home", "timer")
"""Entity of all timers, which every home has."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action on one entity or several; the catalog holds it as the item `id`.

    Raises:
        InvalidRequest: `entity` is not the first of `entities`.
    """

    intent: str
    """Intent of Home Assistant, for example HassTurnOn."""
    entity: str = ""
    """The entity's id, the first one's if there are several. Empty for an intent without an entity,
    for example the time of day."""
    parameter: Parameter | None = None
    """Value to set. None: the action has none."""
    entities: tuple[str, ...] = ()
    """Ids of all entities, in order of registration. Default: `entity` alone."""
    when: When = When()
    """When to act. Default: at once."""

    def __post_init__(self) -> None:
        if not self.entities and self.entity:
            object.__setattr__(self, "entities", (self.entity,))
        if self.entities and not self.entity:
            object.__setattr__(self, "entity", self.entities[0])
        if self.entities and self.entities[0] != self.entity:
            raise InvalidRequest(
                f"entities: got {self.entities} beside entity {self.entity!r}, expected it first"
            )

    @property
    def id(self) -> str:
        """Id of the action's item; equal actions have equal ids, whenever they happen.

        >>> Action("HassTurnOn", entities=("light.desk", "light.hall")).id
        'home/light.desk+light.hall/HassTurnOn'
        """
        base = f"home/{_joined(self.entities)}/{self.intent}"
        if self.parameter is None:
            return base
        name, value = named_value(self.parameter)
        return f"{base}/{name}={value if isinstance(value, str) else format(value, 'g')}"

    def on(self, entity: str) -> Action:
        """The same action on one entity."""
        return Action(self.intent, entity, self.parameter, when=self.when)


def _joined(entities: tuple[str, ...]) -> str:
    """The ids, or for many of them a digest, because the id of an item has at most 256 bytes."""
    joined = "+".join(entities)
    if len(entities) < 2 or len(joined.encode()) <= _LONGEST_IDS:
        return joined
    return f"{len(entities)}-{hashlib.sha256(joined.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Understood:
    """The intent of a free sentence, regardless of the home's entities."""

    intent: str
    confidence: float
    """Share of the nearest known sentences' votes for this intent, 0 to 1."""


class Asked(Enum):
    """Whether an action needs confirmation, and why."""

    NOT = "not asked"
    """The action may be done at once."""
    RISKY = "risky"
    """The action could do harm if done by mistake, whatever its score."""
    UNSURE = "unsure"
    """The sentence may mean something else."""
    ELSEWHERE = "elsewhere"
    """It concerns nothing in the home, as the time of day; who answers such things may do it."""


@dataclass(frozen=True, slots=True)
class DeviceState:
    """The current state of an entity; what is None is unknown."""

    on: bool | None = None
    """Whether it is on."""
    brightness: float | None = None
    """Brightness of a light in percent, 0 to 100."""
    kelvin: float | None = None
    """Colour temperature of a light."""
    celsius: float | None = None
    """Target temperature of a thermostat in degrees Celsius."""
    position: float | None = None
    """Opening of a cover in percent, 0 (closed) to 100 (open)."""
    volume: float | None = None
    """Volume of a media player in percent, 0 to 100."""
    speed: float | None = None
    """Speed of a fan in percent, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A possible action of a sentence."""

    action: Action
    confidence: float
    """Estimated probability that this is what the sentence means, 0 to 1."""
    asked: Asked
    habit: bool = False
    """True if a habit of the user chose the entity or the value."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """The meaning of a sentence for a user, in a room at a time of day."""

    text: str
    user: str
    room: str
    part_of_day: str
    exact: bool
    """True if every word was understood: by reading it, or by one of Home Assistant's templates."""
    suggestions: tuple[Suggestion, ...]
    """Possible actions in order of preference. Empty: refused, or the entity is unclear."""
    question: str = ""
    """Question to the user. Empty: do `acts`."""
    recommendation_id: str = ""
    """Id of the personal ranking, for the events of `accepted` and the others. Empty: none."""
    then: tuple[Suggestion, ...] = ()
    """What a sentence with several commands asks for after the first, in order."""

    @property
    def refused(self) -> bool:
        """Whether the sentence is no command for this home: there is nothing to do or to ask.

        `best` may still name an intent that others can answer, such as the time of day.
        """
        return not self.acts and not self.question

    @property
    def best(self) -> Action | None:
        """The preferred action; it needs confirmation if `act` is None."""
        return self.suggestions[0].action if self.suggestions else None

    @property
    def act(self) -> Action | None:
        """The action to do at once; None: ask `question` first.

        A sentence with several commands has more of them in `acts`.
        """
        return self.acts[0] if self.acts else None

    @property
    def acts(self) -> tuple[Action, ...]:
        """All actions to do at once, in order; none if any of them needs confirmation."""
        wanted = (*self.suggestions[:1], *self.then)
        if self.question or any(one.asked is not Asked.NOT for one in wanted):
            return ()
        return tuple(one.action for one in wanted)
