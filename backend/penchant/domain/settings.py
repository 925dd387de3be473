"""The settings of the fold and the score, with their ranges."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from penchant.domain.errors import ConfigError
from penchant.domain.signal_weights import read_signal_weights

UPDATER_NAMES = ("ridge", "logistic", "diagonal", "ogd", "adagrad", "prototypes")
"""The values of `updater`; `penchant.domain.updaters` documents each."""


@dataclass(frozen=True, slots=True)
class Range:
    """The finite numbers that a setting accepts.

    >>> str(Range(0.0, above=True)), str(Range(0.0)), str(Range(1, 16))
    ('more than 0', '0 or more', '1 to 16')
    """

    low: float
    high: float = math.inf
    above: bool = False
    """Whether the range excludes `low` itself."""

    def check(self, name: str, value: float) -> None:
        """Raises ConfigError, naming the setting, unless the value is in the range."""
        inside = (self.low < value if self.above else self.low <= value) and value <= self.high
        if not (inside and math.isfinite(value)):
            raise ConfigError(f"{name}: got {value}, expected {self}")

    def __str__(self) -> str:
        if self.high < math.inf:
            return f"{self.low:g} to {self.high:g}"
        return f"more than {self.low:g}" if self.above else f"{self.low:g} or more"


MORE_THAN_0 = Range(0.0, above=True)
FROM_0 = Range(0.0)


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """The settings of the fold and the score.

    `docs/adr/0003-state-as-a-fold.md` says how the defaults were chosen, on the first 30 % of
    MovieLens-100K; `docs/measurements/updaters.md` covers the settings that one updater reads.

    >>> FoldSettings(ridge=0.0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: ridge: got 0.0, expected more than 0
    """

    window_events: int = 256
    """W: events kept in a user's record; older ones stay in the log alone."""
    catalog_weight: float = 100.0
    """alpha: weight of the whole catalog as a weak negative."""
    ridge: float = 10.0
    """lambda: strength of the pull towards the population's interest."""
    half_life_events: float = 50.0
    """h_events: newer events after which an event counts half."""
    half_life_s: float = 30 * 86400.0
    """h_time: seconds after which an event counts half."""
    fast_half_life_events: float = 3.0
    """h_fast: newer events after which an event counts half in the fast interest."""
    slow_weight: float = 4.0
    """sigma: weight of the slow interest in the score."""
    fast_weight: float = 2.0
    """gamma: weight of the fast interest in the score; 6 suits a catalog that is refreshed."""
    query_weight: float = 60.0
    """beta: weight of the request's query in the score; the default puts an item's title first."""
    offset_weight: float = 1.0
    """c: weight of the item's popularity in the score."""
    tail_offset_weight: float = 0.0
    """c_tail: weight of the popularity of items with few events, beside c; learnt."""
    tail_lift: float = 0.0
    """l: what an item without events gets in place of popularity; learnt."""
    near_weight: float = 1.0
    """delta: weight in the score of the neighbours of the latest likes."""
    near_half_life_events: float = 5.0
    """h_near: newer events after which a like's neighbours count half."""
    opening_half_life_events: float = 3.0
    """h_open: a user's events after which what strangers see counts half."""
    opening_offset_weight: float = 0.0
    """c_open: how much more the item's popularity counts for strangers; learnt."""
    repeat_weight: float = 0.0
    """rho: weight in the score of what the user liked before; learnt from logs with repeats."""
    repeat_half_life_s: float = 30 * 86400.0
    """h_repeat: seconds after which a like counts half as a repeat."""
    repeat_pause_s: float = 3600.0
    """Seconds within which an item that was just liked is not a repeat but had already."""
    repeat_basket_weight: float = 0.0
    """lambda: how much more a like counts whose visit resembles the basket of the last hour."""
    signal_weights: str = ""
    """Factors of events' weights by signal, as a JSON object; learnt from logs with several signals
    (`penchant.domain.signal_weights`)."""
    context_halvings: float = 0.0
    """Halvings of an event's weight if its context differs in every key; 0 ignores contexts."""
    time_bucket_s: float = 600.0
    """Step of the fold's clock, in seconds. A cached fold is valid within one step."""
    updater: str = "ridge"
    """Method that computes the slow interest from the events."""
    learning_rate: float = 0.7
    """eta: step size of the updater `adagrad`."""
    initial_accumulator: float = 1.0
    """delta: initial squared-gradient sum of the updater `adagrad`."""
    prototypes: int = 6
    """p: interests per user of the updater `prototypes`."""
    prototype_sharing: float = 0.5
    """rho: weight of a like in the interests it does not belong to, for the updater
    `prototypes`."""

    def __post_init__(self) -> None:
        if self.updater not in UPDATER_NAMES:
            names = ", ".join(UPDATER_NAMES)
            raise ConfigError(f"updater: got {self.updater!r}, expected one of: {names}")
        read_signal_weights(self.signal_weights)
        for name, allowed in FOLD_RANGES.items():
            allowed.check(name, getattr(self, name))

    def overridden(self, weights: Iterable[str], keep: Collection[str] = ()) -> FoldSettings:
        """These settings, overridden by score weights in turn, except for those to keep.

        Args:
            weights: JSON objects from setting to value; a later one wins.
            keep: names of settings that stay.

        Raises:
            ConfigError: an unknown setting, or a value outside its range.

        >>> FoldSettings().overridden(['{"ridge": 2.0, "slow_weight": 0.0}'], {"ridge"}).ridge
        10.0
        """
        chosen = self
        for text in weights:
            chosen = chosen.with_score_weights(text)
        return dataclasses.replace(chosen, **{name: getattr(self, name) for name in keep})

    def with_score_weights(self, weights: str) -> FoldSettings:
        """These settings, overridden by a release's score weights.

        Args:
            weights: a JSON object from setting to value.

        Raises:
            ConfigError: an unknown setting, or a value outside its range.

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
    def weighs_beginners(self) -> bool:
        """Whether popularity counts otherwise for users with a short history."""
        return bool(self.opening_offset_weight or self.tail_offset_weight or self.tail_lift)

    @property
    def interests(self) -> int:
        """p: slow interests that the updater keeps per user."""
        return self.prototypes if self.updater == "prototypes" else 1

    def digest(self) -> int:
        """A 64-bit digest, equal for equal settings in every process."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


FOLD_RANGES: Mapping[str, Range] = {
    "window_events": Range(1, 65536),
    "catalog_weight": FROM_0,
    "ridge": MORE_THAN_0,
    "half_life_events": MORE_THAN_0,
    "half_life_s": MORE_THAN_0,
    "fast_half_life_events": MORE_THAN_0,
    "slow_weight": FROM_0,
    "fast_weight": FROM_0,
    "query_weight": FROM_0,
    "offset_weight": FROM_0,
    "tail_offset_weight": FROM_0,
    "tail_lift": FROM_0,
    "near_weight": FROM_0,
    "near_half_life_events": MORE_THAN_0,
    "opening_half_life_events": MORE_THAN_0,
    "opening_offset_weight": FROM_0,
    "repeat_weight": FROM_0,
    "repeat_half_life_s": MORE_THAN_0,
    "repeat_pause_s": FROM_0,
    "repeat_basket_weight": FROM_0,
    "context_halvings": FROM_0,
    "time_bucket_s": Range(1.0),
    "learning_rate": MORE_THAN_0,
    "initial_accumulator": MORE_THAN_0,
    "prototypes": Range(1, 16),
    "prototype_sharing": Range(0.0, 1.0),
}
"""The range of each numeric setting of the fold."""
