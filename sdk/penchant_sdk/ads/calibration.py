"""Click probabilities from a ranking's score and a position.

The position-based model (Richardson, Dominowska and Ragno, WWW 2007; Craswell et al., WSDM 2008)
assumes that users click on an ad if they examine its position and find it attractive:

    P(click | score, position) = examination[position] * sigmoid(slope * score + intercept)

The sigmoid is Platt scaling (1999). `penchant calibrate` fits the model to the event log.

>>> calibration = Calibration(slope=2.0, intercept=-3.0, examination=(1.0, 0.5))
>>> [calibration.click_probability(1.5, position) for position in (1, 2, 9)]
[0.5, 0.25, 0.25]
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from penchant_sdk.errors import InvalidRequest

FORMAT = "penchant.ads.calibration.v1"
"""Format name in the files of `penchant calibrate`."""


@dataclass(frozen=True, slots=True)
class Conversions:
    """Chance and value of a sale after a click, by campaign.

    Raises:
        InvalidRequest: a chance or a value is not finite, or out of range.
    """

    chance: Mapping[str, float] = field(hash=False)
    """Probability that a click leads to a sale, sooner or later, by campaign."""
    value: Mapping[str, float] = field(hash=False)
    """Mean value of the sales after one click that has any, in units of the currency."""
    any_chance: float
    """The chance for a campaign without clicks."""
    any_value: float
    """The value for a campaign without sales."""

    def __post_init__(self) -> None:
        chances, values = [*self.chance.values(), self.any_chance], [*self.value.values()]
        if not all(0 <= one <= 1 for one in chances):
            raise InvalidRequest(f"conversions: got chances {chances}, expected 0 to 1")
        if not all(0 <= one < math.inf for one in [*values, self.any_value]):
            raise InvalidRequest(f"conversions: got values {values}, expected 0 or more")

    def expected(self, campaign: str) -> tuple[float, float]:
        """The chance of a sale after a click on a campaign's ad, and the sale's value."""
        return (
            self.chance.get(campaign, self.any_chance),
            self.value.get(campaign, self.any_value),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """Parameters of the position-based model.

    Raises:
        InvalidRequest: a parameter is not finite, or an examination probability is not above 0.
    """

    slope: float
    """Log-odds of a click per unit of score."""
    intercept: float
    """Log-odds of a click at score 0 in the first position."""
    examination: tuple[float, ...]
    """Probability that a user examines each position, relative to the first, which is 1. The last
    value also applies to all later positions."""
    impressions: int = 0
    """Number of impressions behind the fit. 0: a guess."""
    conversions: Conversions | None = None
    """Chances and values of sales, for campaigns with a goal. None: not known."""

    def __post_init__(self) -> None:
        numbers = (self.slope, self.intercept, *self.examination)
        if not all(map(math.isfinite, numbers)) or not self.examination:
            raise InvalidRequest(f"calibration: got {numbers}, expected finite numbers")
        if min(self.examination) <= 0:
            raise InvalidRequest(f"examination: got {min(self.examination)}, expected above 0")

    def click_probability(self, score: float, position: int) -> float:
        """Probability of a click, above 0 and at most 1.

        Args:
            score: `RankedItem.score`.
            position: position of the ad, counted from 1.
        """
        looks = self.examination[min(position, len(self.examination)) - 1]
        return min(1.0, looks * _sigmoid(self.slope * score + self.intercept))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Reads a file written by `penchant calibrate`.

        Raises:
            InvalidRequest: the file cannot be read, or has another format.
        """
        try:
            fields = json.loads(Path(path).read_text(encoding="utf-8"))
            if fields["format"] != FORMAT:
                raise ValueError(f"format {fields['format']!r}")
            return cls(
                float(fields["slope"]),
                float(fields["intercept"]),
                tuple(float(looks) for looks in fields["examination"]),
                int(fields["impressions"]),
                _conversions(fields.get("conversions")),
            )
        except InvalidRequest:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidRequest(
                f"calibration: {path} can't be read ({error!r}), expected a file of "
                f"`penchant calibrate` of format {FORMAT}"
            ) from None


UNCALIBRATED = Calibration(slope=1.0, intercept=-4.0, examination=(1.0,))
"""A guess until a log exists: a click probability of 2 % at score 0, equal in all positions."""


def _conversions(fields: Mapping[str, Any] | None) -> Conversions | None:
    if not fields:
        return None
    return Conversions(
        {str(id_): float(chance) for id_, chance in fields["chance"].items()},
        {str(id_): float(value) for id_, value in fields["value"].items()},
        float(fields["any_chance"]),
        float(fields["any_value"]),
    )


def _sigmoid(log_odds: float) -> float:
    """The sigmoid, without overflow, and above 0, because callers take its logarithm."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(max(log_odds, -700.0)) / (1 + math.exp(max(log_odds, -700.0)))
