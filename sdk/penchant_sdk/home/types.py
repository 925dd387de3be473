"""Arguments and results of the home client: entities, actions and interpretations.

>>> from penchant_sdk.home.parameters import Brightness
>>> Action("HassLightSet", "light.bedside", Brightness(percent=20)).id
'home/light.bedside/HassLightSet/brightness=20'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from penchant_sdk._arguments import text, texts
from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home.parameters import Parameter, named_value


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
    """An action on an entity; the catalog holds it as the item `id`."""

    intent: str
    """Intent of Home Assistant, for example HassTurnOn."""
    entity: str
    """The entity's id. Empty for an intent without an entity, for example the time of day."""
    parameter: Parameter | None = None
    """Value to set. None: the action has none."""

    @property
    def id(self) -> str:
        """Id of the action's item; equal actions have equal ids."""
        base = f"home/{self.entity}/{self.intent}"
        if self.parameter is None:
            return base
        name, value = named_value(self.parameter)
        return f"{base}/{name}={value if isinstance(value, str) else format(value, 'g')}"


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


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A possible action of a sentence."""

    action: Action
    confidence: float
    """Share of the nearest known sentences' votes for the intent, 0 to 1; 1 for an exact match."""
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
    """True if one of Home Assistant's own templates matched."""
    suggestions: tuple[Suggestion, ...]
    """Possible actions in order of preference. Empty: refused, or the entity is unclear."""
    question: str = ""
    """Question to the user. Empty: do `act`."""
    recommendation_id: str = ""
    """Id of the personal ranking, for the events of `accepted` and the others. Empty: none."""

    @property
    def refused(self) -> bool:
        """Whether the sentence was not understood at all."""
        return not self.suggestions and not self.question

    @property
    def best(self) -> Action | None:
        """The preferred action; it needs confirmation if `act` is None."""
        return self.suggestions[0].action if self.suggestions else None

    @property
    def act(self) -> Action | None:
        """The action to do at once; None: ask `question` first."""
        first = self.suggestions[0] if self.suggestions else None
        return first.action if first and first.asked is Asked.NOT else None
