"""What can be searched: each setting with the range that it is looked for in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.refresh.refresh_settings import RefreshSettings

CONTEXT_HALVINGS = "context_halvings"
"""A log whose events have no context says nothing of it."""

_HOUR_S, _DAY_S = 3600.0, 86400.0
_LORA_LEARNING_RATE, _LORA_RANK, _TEMPERATURE = 1e-3, 16, 0.25


class Part(Enum):
    """What a setting belongs to."""

    SERVER = "server"
    """A setting of the models, as `--set` takes it."""
    REFRESH = "refresh"
    """A field of `RefreshSettings`."""
    FINETUNE = "finetune"
    """A field of `FinetuneSettings`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting that is searched, on a logarithmic scale."""

    name: str
    part: Part
    low: float
    """More than 0."""
    high: float
    """More than `low`."""
    default: float
    """From `low` to `high`; where the search begins."""
    whole: bool = False
    """Only whole numbers."""

    def readable(self, value: float) -> float:
        """The value as people write it: the default, two significant digits, or a whole number.

        >>> Parameter("ridge", Part.SERVER, 0.1, 1000, 10).readable(12.345)
        12.0
        """
        if math.isclose(value, self.default):
            return self.default  # As it is, also where it has more digits.
        return float(round(value)) if self.whole else float(f"{value:.2g}")

    def text(self, value: float) -> str:
        """The value as an option takes it.

        >>> Parameter("half_life_s", Part.SERVER, 1, 1e9, 10).text(2.6e6)
        '2600000'
        """
        return f"{value:.0f}" if value == round(value) else f"{value:g}"


Values = Mapping[str, float]
"""Readable values by the names of parameters."""


def _server(name: str, low: float, high: float) -> Parameter:
    fold = {field.name: field.default for field in dataclasses.fields(FoldSettings)}
    default: Any = fold[name] if name in fold else getattr(_PLAIN, name)
    return Parameter(name, Part.SERVER, low, high, float(default))


def _refresh(name: str, low: float, high: float, whole: bool = False) -> Parameter:
    return Parameter(name, Part.REFRESH, low, high, getattr(RefreshSettings(), name), whole)


_PLAIN = Config("memory:", Path("none"))

SPACE = (
    _server("catalog_weight", 1, 10_000),
    _server("ridge", 0.1, 1000),
    _server("half_life_events", 3, 3000),
    _server("half_life_s", _HOUR_S, 1000 * _DAY_S),
    _server("fast_half_life_events", 0.3, 30),
    _server("slow_weight", 0.1, 40),
    _server("fast_weight", 0.1, 40),
    _server("near_weight", 0.05, 20),
    _server("near_half_life_events", 0.5, 50),
    # From nearly nothing: on a logarithmic scale there is no 0, the setting's own default.
    Parameter(CONTEXT_HALVINGS, Part.SERVER, 0.05, 8, 0.05),
    _server("offset_weight", 0.03, 10),
    _server("offset_half_life_s", _HOUR_S, 1000 * _DAY_S),
    _server("offset_prior_impressions", 1, 1000),
    _refresh("text_weight", 0.03, 30),
    _refresh("window", 1, 200, whole=True),
    _refresh("shrinkage", 0.1, 200),
    Parameter("learning_rate", Part.FINETUNE, 1e-5, 1e-2, _LORA_LEARNING_RATE),
    Parameter("lora_rank", Part.FINETUNE, 1, 64, _LORA_RANK, whole=True),
    Parameter("temperature", Part.FINETUNE, 0.02, 2, _TEMPERATURE),
)
"""All of them; each range holds its default."""


def choose(
    names: Sequence[str], parts: Sequence[Part], fixed: Sequence[str] = ()
) -> tuple[Parameter, ...]:
    """The parameters that are searched.

    Args:
        names: which; none: all of the parts.
        parts: what is at work at all: a refresh that does not run has nothing to search.
        fixed: settings that the user gave, which stay.

    Raises:
        ConfigError: a name is not one of these, or nothing is left.

    >>> [one.name for one in choose(["ridge"], [Part.SERVER])]
    ['ridge']
    """
    possible = {one.name: one for one in SPACE if one.part in parts and one.name not in fixed}
    for name in names:
        if name not in possible:
            known = next((one for one in SPACE if one.name == name), None)
            why = "no setting that can be searched"
            if known is not None:
                why = "--set fixes it" if name in fixed else f"it needs --{known.part.value}"
            raise ConfigError(
                f"--parameter: got {name!r} ({why}), expected one of: {', '.join(possible)}"
            )
    chosen = tuple(one for one in possible.values() if not names or one.name in names)
    if not chosen:
        raise ConfigError("--parameter: nothing is left to search, since --set fixes all of it")
    return chosen


def defaults(space: Sequence[Parameter]) -> dict[str, float]:
    """Where a search begins."""
    return {one.name: one.default for one in space}


def of_part(values: Values, part: Part) -> dict[str, Any]:
    """The values that belong to a part; whole numbers as int."""
    kinds = {one.name: one for one in SPACE if one.part is part}
    return {
        name: int(value) if kinds[name].whole else value
        for name, value in values.items()
        if name in kinds
    }


def with_values(config: Config, values: Values) -> Config:
    """A server's settings with the searched ones in their places.

    >>> with_values(Config("memory:", Path("e")), {"ridge": 3.0, "window": 5}).fold.ridge
    3.0
    """
    server = of_part(values, Part.SERVER)
    names = {field.name for field in dataclasses.fields(FoldSettings)}
    fold = {name: value for name, value in server.items() if name in names}
    plain = {name: value for name, value in server.items() if name not in names}
    changed: dict[str, Any] = {"fold": dataclasses.replace(config.fold, **fold), **plain}
    return dataclasses.replace(config, **changed)


def refresh_settings(values: Values) -> RefreshSettings:
    """A refresh's settings with the searched ones in their places."""
    return RefreshSettings(**of_part(values, Part.REFRESH))


def as_options(space: Sequence[Parameter], values: Values, part: Part) -> list[str]:
    """What to write on the command line for a part's values that are not the defaults.

    >>> as_options(SPACE, {"ridge": 3.0, "fast_weight": 2.0}, Part.SERVER)
    ['--set ridge=3']
    >>> as_options(SPACE, {"text_weight": 0.5}, Part.REFRESH)
    ['--text-weight 0.5']
    """
    moved = [
        one
        for one in space
        if one.part is part
        and one.name in values
        and not math.isclose(values[one.name], one.default)
    ]
    if part is Part.SERVER:
        return [f"--set {one.name}={one.text(values[one.name])}" for one in moved]
    return [f"--{one.name.replace('_', '-')} {one.text(values[one.name])}" for one in moved]
