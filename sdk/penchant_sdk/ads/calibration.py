"""From a ranking's score and a place to the chance of a click.

The position-based model (Richardson, Dominowska and Ragno, WWW 2007; Craswell et al., WSDM 2008):
a click needs a look and a wish,

    P(click | score, place) = examination[place] * sigmoid(slope * score + intercept)

with the wish calibrated as Platt (1999) does. `penchant calibrate` fits it to the log.

>>> seen_less = Calibration(slope=2.0, intercept=-3.0, examination=(1.0, 0.5))
>>> first, second = (seen_less.click_probability(1.5, place) for place in (1, 2))
>>> first, second, seen_less.click_probability(1.5, 9) == second
(0.5, 0.25, True)
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from penchant_sdk.errors import InvalidRequest

FORMAT = "penchant.ads.calibration.v1"
"""What a file of `penchant calibrate` says that it is."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The position-based model's parameters."""

    slope: float
    """Log-odds of a click a unit of score."""
    intercept: float
    """Log-odds of a click at score 0, at the first place."""
    examination: tuple[float, ...]
    """How much a place is looked at, by place, relative to the first, whose is 1. Places behind the
    last are taken for the last."""
    impressions: int = 0
    """How many it was fitted to; 0: none, it is a guess."""

    def __post_init__(self) -> None:
        numbers = (self.slope, self.intercept, *self.examination)
        if not all(map(math.isfinite, numbers)) or not self.examination:
            raise InvalidRequest(f"calibration: got {numbers}, expected finite numbers")
        if min(self.examination) <= 0:
            raise InvalidRequest(f"examination: got {min(self.examination)}, expected above 0")

    def click_probability(self, score: float, position: int) -> float:
        """The chance of a click, above 0 and at most 1.

        Args:
            score: of the ranking.
            position: 1 at the top.
        """
        looks = self.examination[min(position, len(self.examination)) - 1]
        return min(1.0, looks * _sigmoid(self.slope * score + self.intercept))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Reads what `penchant calibrate` wrote.

        Raises:
            InvalidRequest: the file can't be read, or is something else.
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
            )
        except InvalidRequest:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidRequest(
                f"calibration: {path} can't be read ({error!r}), expected a file of "
                f"`penchant calibrate` of format {FORMAT}"
            ) from None


UNCALIBRATED = Calibration(slope=1.0, intercept=-4.0, examination=(1.0,))
"""A guess (2 % of clicks at score 0, all places alike) until there is a log to fit."""


def _sigmoid(log_odds: float) -> float:
    """Without overflow, and above 0: a probability's logarithm is taken later."""
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    return math.exp(max(log_odds, -700.0)) / (1 + math.exp(max(log_odds, -700.0)))
