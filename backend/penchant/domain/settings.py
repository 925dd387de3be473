"""The numbers of the fold and the score, with their ranges."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass

from penchant.domain.errors import ConfigError

UPDATER_NAMES = ("ridge", "logistic", "diagonal", "ogd", "adagrad", "prototypes")
"""What `updater` may be; `penchant.domain.updaters` says what each does."""


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """What the fold and the score depend on besides events and vectors.

    The defaults were chosen on the first 30 % of MovieLens-100K; `docs/adr/0003-state-as-a-fold.md`
    says how, and `docs/updaters.md` how those that a single updater reads.

    >>> FoldSettings(ridge=0.0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: ridge: got 0.0, expected more than 0
    """

    window_events: int = 256
    """W: events that a record keeps, 1 to 65,536."""
    catalog_weight: float = 100.0
    """alpha: how strongly the whole catalog counts as a weak negative, 0 or more."""
    ridge: float = 10.0
    """lambda: how strongly interest is drawn to the population's, more than 0."""
    half_life_events: float = 50.0
    """h_events: an event counts half after this many newer ones, more than 0."""
    half_life_s: float = 30 * 86400.0
    """h_time: an event counts half after this many seconds, more than 0."""
    fast_half_life_events: float = 3.0
    """h_fast: the same for the fast interest, more than 0."""
    slow_weight: float = 4.0
    """sigma, 0 or more."""
    fast_weight: float = 2.0
    """gamma, 0 or more."""
    query_weight: float = 1.0
    """beta, 0 or more."""
    offset_weight: float = 1.0
    """c: how much popularity counts, 0 or more."""
    near_weight: float = 1.0
    """delta: how much the neighbours of recent likes count, 0 or more."""
    near_half_life_events: float = 5.0
    """h_near: a like's neighbours count half after this many newer events, more than 0."""
    context_halvings: float = 0.0
    """How often the weight of an event is halved whose context differs in every key, 0 or more; 0:
    contexts do not count."""
    time_bucket_s: float = 600.0
    """The fold's clock moves in steps of this many seconds, 1 or more."""
    updater: str = "ridge"
    """What makes the slow interest of the events, one of `UPDATER_NAMES`."""
    learning_rate: float = 0.7
    """eta of `adagrad`, more than 0."""
    initial_accumulator: float = 1.0
    """delta of `adagrad`, more than 0."""
    prototypes: int = 6
    """p of `prototypes`: interests a user, 1 to 16."""
    prototype_sharing: float = 0.5
    """rho of `prototypes`: how much a like counts in the other interests, 0 to 1."""

    def __post_init__(self) -> None:
        if self.updater not in UPDATER_NAMES:
            names = ", ".join(UPDATER_NAMES)
            raise ConfigError(f"updater: got {self.updater!r}, expected one of: {names}")
        for name in _ABOVE_ZERO:
            _require(name, getattr(self, name), 0.0, math.inf, open_below=True)
        for name in _FROM_ZERO:
            _require(name, getattr(self, name), 0.0, math.inf)
        _require("time_bucket_s", self.time_bucket_s, 1.0, math.inf)
        _require("window_events", self.window_events, 1, 65536)
        _require("prototypes", self.prototypes, 1, 16)
        _require("prototype_sharing", self.prototype_sharing, 0.0, 1.0)

    def with_score_weights(self, weights: str) -> FoldSettings:
        """These settings with what a release sets, a JSON object.

        Raises:
            ConfigError: a name is not a setting, or a value does not fit.

        >>> FoldSettings().with_score_weights('{"near_weight": 0.5}').near_weight
        0.5
        """
        try:
            return dataclasses.replace(self, **json.loads(weights))
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"score weights: got {weights}, expected a JSON object of the fold's settings: "
                f"{error}"
            ) from error

    @property
    def interests(self) -> int:
        """p: how many slow interests the updater keeps of a user."""
        return self.prototypes if self.updater == "prototypes" else 1

    def digest(self) -> int:
        """A 64-bit name of these settings: equal settings, equal names, in every process."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


_ABOVE_ZERO = (
    "ridge",
    "half_life_events",
    "half_life_s",
    "fast_half_life_events",
    "near_half_life_events",
    "learning_rate",
    "initial_accumulator",
)

_FROM_ZERO = (
    "catalog_weight",
    "slow_weight",
    "fast_weight",
    "query_weight",
    "offset_weight",
    "near_weight",
    "context_halvings",
)


def _require(name: str, value: float, low: float, high: float, *, open_below: bool = False) -> None:
    inside = (low < value if open_below else low <= value) and value <= high
    if not (inside and math.isfinite(value)):
        below = f"more than {low:g}" if open_below else f"{low:g} or more"
        expected = below if high == math.inf else f"{low:g} to {high:g}"
        raise ConfigError(f"{name}: got {value}, expected {expected}")
