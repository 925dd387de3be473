"""The smart home's words: entities, actions, and what a sentence means.

>>> from penchant_sdk.home.parameters import Brightness
>>> Action("HassLightSet", "light.bedside", Brightness(percent=20)).id
'home/light.bedside/HassLightSet/brightness=20'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home.parameters import Parameter, named_value


@dataclass(frozen=True, slots=True)
class Entity:
    """Something in the home that can be acted on."""

    id: str
    """Home Assistant's entity id: a domain, a full stop, a name."""
    name: str
    """What people call it."""
    room: str = ""
    floor: str = ""
    aliases: tuple[str, ...] = ()
    device_class: str = ""
    """Home Assistant's, for example garage of a cover."""

    def __post_init__(self) -> None:
        domain, dot, name = self.id.partition(".")
        if not (domain and dot and name) or "/" in self.id:
            raise InvalidRequest(f"id: got {self.id!r}, expected a domain and a name, light.desk")
        if not self.name:
            raise InvalidRequest(f"name: got {self.name!r}, expected what {self.id} is called")

    @property
    def domain(self) -> str:
        """light, cover, lock, ..."""
        return self.id.partition(".")[0]


TIMER = Entity("timer.home", "timer")
"""Where timers run: not a device, so there is always one."""


@dataclass(frozen=True, slots=True)
class Action:
    """What is done to an entity; also an item of the catalog, under its `id`."""

    intent: str
    """Home Assistant's, for example HassTurnOn."""
    entity: str
    """The entity's id; empty where the intent speaks of none, for example the time of day."""
    parameter: Parameter | None = None

    @property
    def id(self) -> str:
        """The item's id; equal actions have equal ids."""
        base = f"home/{self.entity}/{self.intent}"
        if self.parameter is None:
            return base
        name, value = named_value(self.parameter)
        return f"{base}/{name}={value if isinstance(value, str) else format(value, 'g')}"


@dataclass(frozen=True, slots=True)
class Understood:
    """What a free sentence says, whatever the home holds."""

    intent: str
    confidence: float
    """The intent's share of the votes of the nearest known sentences, 0 to 1."""


class Asked(Enum):
    """Why an action waits for a yes."""

    NOT = "not asked"
    """It may be done at once."""
    RISKY = "risky"
    """What it does is not to be done by mistake, whatever the score."""
    UNSURE = "unsure"
    """The sentence may have meant something else."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An action that a sentence may have meant."""

    action: Action
    confidence: float
    """0 to 1: the share of the nearest known sentences that mean it; 1 where it was exact."""
    asked: Asked
    habit: bool = False
    """True where the user's own past chose the entity or the value."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What a sentence means to a user, here and now."""

    text: str
    user: str
    room: str
    part_of_day: str
    exact: bool
    """True where one of Home Assistant's own templates matched."""
    suggestions: tuple[Suggestion, ...]
    """The most wanted first; empty: refused, or it is not clear which entity is meant."""
    question: str = ""
    """What to ask back; empty where `act` is to be done."""
    recommendation_id: str = ""
    """Of the personal ranking; sent back by `accepted` and the others. Empty: there was none."""

    @property
    def refused(self) -> bool:
        """Whether nothing was understood."""
        return not self.suggestions and not self.question

    @property
    def best(self) -> Action | None:
        """The most wanted action, to be confirmed where `act` is None."""
        return self.suggestions[0].action if self.suggestions else None

    @property
    def act(self) -> Action | None:
        """What to do at once; None: ask the question first."""
        first = self.suggestions[0] if self.suggestions else None
        return first.action if first and first.asked is Asked.NOT else None
