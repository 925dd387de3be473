"""The search space: each setting that can be searched, with its range."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from penchant.config import Config, value_of
from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.refresh.refresh_settings import RefreshSettings

CONTEXT_HALVINGS = "context_halvings"
"""A setting that a log without contexts can't inform."""

_HOUR_S, _DAY_S = 3600.0, 86400.0
_LORA_LEARNING_RATE, _LORA_RANK, _TEMPERATURE = 1e-3, 16, 0.25


class ParameterGroup(Enum):
    """The settings that a parameter belongs to."""

    SERVER = "server"
    """Settings of the models, given by `--set`."""
    REFRESH = "refresh"
    """Fields of `RefreshSettings`."""
    FINETUNE = "finetune"
    """Fields of `FinetuneSettings`."""


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A setting to search on a logarithmic scale."""

    name: str
    group: ParameterGroup
    low: float
    """Lower end of the range, above 0."""
    high: float
    """Upper end of the range, above `low`."""
    default: float
    """Value that a server has without it, `low` to `high`."""
    whole: bool = False
    """Whether only whole numbers are tried."""
    first: float | None = None
    """Value of the first trial, if it is not the default."""

    @property
    def start(self) -> float:
        """Value of the first trial, `low` to `high`."""
        return self.default if self.first is None else self.first

    def starting_at(self, value: float) -> SearchParameter:
        """The same parameter with another first value, moved into the range.

        >>> SearchParameter("ridge", ParameterGroup.SERVER, 0.1, 1000, 10).starting_at(0).start
        0.1
        """
        return dataclasses.replace(self, first=min(max(value, self.low), self.high))

    def readable(self, value: float) -> float:
        """Rounds a value as people would write it: to the default, two digits, or a whole number.

        >>> SearchParameter("ridge", ParameterGroup.SERVER, 0.1, 1000, 10).readable(12.345)
        12.0
        """
        for known in (self.start, self.default):
            if math.isclose(value, known):
                return known  # Unrounded, even if it has more digits.
        return float(round(value)) if self.whole else float(f"{value:.2g}")

    def text(self, value: float) -> str:
        """The value as text for an option.

        >>> SearchParameter("half_life_s", ParameterGroup.SERVER, 1, 1e9, 10).text(2.6e6)
        '2600000'
        """
        return f"{value:.0f}" if value == round(value) else f"{value:g}"


Values = Mapping[str, float]
"""Rounded values by the names of parameters."""


def _server(name: str, low: float, high: float) -> SearchParameter:
    fold = {field.name: field.default for field in dataclasses.fields(FoldSettings)}
    default: Any = fold[name] if name in fold else getattr(_PLAIN, name)
    return SearchParameter(name, ParameterGroup.SERVER, low, high, float(default))


def _refresh(name: str, low: float, high: float, whole: bool = False) -> SearchParameter:
    return SearchParameter(
        name, ParameterGroup.REFRESH, low, high, getattr(RefreshSettings(), name), whole
    )


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
    # Starts near 0, the setting's own default, which a logarithmic scale does not have.
    SearchParameter(CONTEXT_HALVINGS, ParameterGroup.SERVER, 0.05, 8, 0.05),
    _server("offset_weight", 0.03, 10),
    _server("offset_half_life_s", _HOUR_S, 1000 * _DAY_S),
    _server("offset_prior_impressions", 1, 1000),
    _refresh("text_weight", 0.03, 30),
    _refresh("window", 1, 200, whole=True),
    _refresh("shrinkage", 0.1, 200),
    SearchParameter("learning_rate", ParameterGroup.FINETUNE, 1e-5, 1e-2, _LORA_LEARNING_RATE),
    SearchParameter("lora_rank", ParameterGroup.FINETUNE, 1, 64, _LORA_RANK, whole=True),
    SearchParameter("temperature", ParameterGroup.FINETUNE, 0.02, 2, _TEMPERATURE),
)
"""Every parameter that can be searched; each range holds its default."""

REFRESHED: Mapping[str, str] = {"fast_weight": "6.0"}
"""Settings that suit a catalog that is refreshed, where its search begins."""


def choose(
    names: Sequence[str], groups: Sequence[ParameterGroup], fixed: Sequence[str] = ()
) -> tuple[SearchParameter, ...]:
    """Chooses the parameters to search.

    Args:
        names: names of parameters; empty: all of the groups.
        groups: groups in use: without a refresh, for example, its settings can't be searched.
        fixed: settings that the user gave, which stay as they are.

    Raises:
        ConfigError: a name can't be searched, or nothing is left to search.

    >>> [one.name for one in choose(["ridge"], [ParameterGroup.SERVER])]
    ['ridge']
    """
    possible = {one.name: one for one in SPACE if one.group in groups and one.name not in fixed}
    for name in names:
        if name not in possible:
            known = next((one for one in SPACE if one.name == name), None)
            why = "not a setting that can be searched"
            if known is not None:
                why = "--set fixes it" if name in fixed else f"it needs --{known.group.value}"
            raise ConfigError(
                f"--parameter: got {name!r} ({why}), expected one of: {', '.join(possible)}"
            )
    chosen = tuple(one for one in possible.values() if not names or one.name in names)
    if not chosen:
        raise ConfigError("--parameter: nothing is left to search, since --set fixes all of it")
    return chosen


def starting_from(space: Sequence[SearchParameter], config: Config) -> tuple[SearchParameter, ...]:
    """The parameters with their first values taken from a server's settings."""
    return tuple(
        one.starting_at(float(str(value_of(config, one.name))))
        if one.group is ParameterGroup.SERVER and one.name in config.given
        else one
        for one in space
    )


def first_values(space: Sequence[SearchParameter]) -> dict[str, float]:
    """Values of the first trial."""
    return {one.name: one.start for one in space}


def in_group(values: Values, group: ParameterGroup) -> dict[str, Any]:
    """The values of a group's parameters; whole numbers as int."""
    kinds = {one.name: one for one in SPACE if one.group is group}
    return {
        name: int(value) if kinds[name].whole else value
        for name, value in values.items()
        if name in kinds
    }


def with_values(config: Config, values: Values) -> Config:
    """A server's settings with the searched values in place.

    >>> with_values(Config("memory:", Path("e")), {"ridge": 3.0, "window": 5}).fold.ridge
    3.0
    """
    server = in_group(values, ParameterGroup.SERVER)
    names = {field.name for field in dataclasses.fields(FoldSettings)}
    fold = {name: value for name, value in server.items() if name in names}
    plain = {name: value for name, value in server.items() if name not in names}
    changed: dict[str, Any] = {"fold": dataclasses.replace(config.fold, **fold), **plain}
    return dataclasses.replace(config, **changed)


def refresh_settings(values: Values) -> RefreshSettings:
    """Settings of a refresh with the searched values in place."""
    return RefreshSettings(**in_group(values, ParameterGroup.REFRESH))


def moved(
    space: Sequence[SearchParameter], values: Values, group: ParameterGroup
) -> dict[str, float]:
    """The values of a group that differ from the defaults.

    >>> moved(SPACE, {"ridge": 3.0, "fast_weight": 2.0}, ParameterGroup.SERVER)
    {'ridge': 3.0}
    """
    changed = {
        one.name
        for one in space
        if one.group is group
        and one.name in values
        and not math.isclose(values[one.name], one.default)
    }
    return {name: value for name, value in in_group(values, group).items() if name in changed}
