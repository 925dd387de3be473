"""Calibration as one job: fit the older part, judge on the newer, then fit all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penchant.calibration.click_model import Fit, fit
from penchant.calibration.reliability import Reliability, reliability
from penchant.calibration.shown_ads import Shown
from penchant.domain.errors import ConfigError

FORMAT = "penchant.ads.calibration.v1"
"""As `penchant_sdk.ads.Calibration` reads it."""
FEW_CLICKS = 200
"""Below so many, intervals are wide and a warning is due."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was found."""

    fit: Fit
    """To all impressions: what is to be used."""
    held_out: Mapping[str, Reliability]
    """On the newer part, of what was fitted to the older: `score` (its sigmoid, uncalibrated),
    `without places` (Platt), `with places`, and first `in use`, where there is such."""
    impressions: int
    clicks: int
    held_out_impressions: int
    left_out: Mapping[str, int]

    @property
    def warnings(self) -> list[str]:
        """What the log can't tell, in words."""
        found = []
        if self.clicks < FEW_CLICKS:
            found.append(
                f"{self.clicks} clicks are few: the intervals of examination and slope are wide"
            )
        if self.fit.slope_interval[0] <= 0:
            found.append(
                "the slope's interval holds 0: on this log the score does not tell clicks apart"
            )
        if self.left_out:
            found.append(f"{sum(self.left_out.values())} impressions or rows were left out")
        return found


def calibrate(shown: Shown, *, held_out: float = 0.2, in_use: Fit | None = None) -> Calibrated:
    """Fits and judges.

    Args:
        shown: in time order.
        held_out: the share of the impressions, the newest, to judge on; above 0, below 1.
        in_use: judged beside.

    Raises:
        ConfigError: too few clicks in the older part, or a share out of range.
    """
    if not 0 < held_out < 1:
        raise ConfigError(f"--held-out: got {held_out}, expected a share between 0 and 1")
    count = len(shown.score)
    border = min(count - 1, max(1, round(count * (1 - held_out))))
    older, newer = shown.part(0, border), shown.part(border, count)
    candidates = {
        **({"in use": in_use} if in_use else {}),
        "score": Fit.given(1.0, 0.0, [1.0]),
        "without places": fit(older, by_position=False),
        "with places": fit(older),
    }
    return Calibrated(
        fit=fit(shown),
        held_out={
            name: reliability(
                one.probability(newer.score, newer.position), newer.position, newer.clicked
            )
            for name, one in candidates.items()
        },
        impressions=count,
        clicks=int(shown.clicked.sum()),
        held_out_impressions=count - border,
        left_out=shown.left_out,
    )


def as_json_ready(found: Calibrated) -> dict[str, Any]:
    """What is written: the parameters that the SDK reads, and the evidence beside them."""
    return {
        "format": FORMAT,
        "slope": found.fit.slope,
        "intercept": found.fit.intercept,
        "examination": found.fit.examination.tolist(),
        "impressions": found.impressions,
        "clicks": found.clicks,
        "intervals_95": {
            "slope": found.fit.slope_interval,
            "intercept": found.fit.intercept_interval,
            "examination": found.fit.examination_intervals,
        },
        "held_out": {
            "impressions": found.held_out_impressions,
            "expected_calibration_error": {k: v.ece for k, v in found.held_out.items()},
            "by_chance": {k: v.ece_by_chance for k, v in found.held_out.items()},
            "log_loss": {k: v.log_loss for k, v in found.held_out.items()},
        },
        "warnings": found.warnings,
    }


def read_fit(fields: Mapping[str, Any]) -> Fit:
    """What `as_json_ready` wrote, as a model to judge.

    Raises:
        ConfigError: it is something else.
    """
    try:
        if fields["format"] != FORMAT:
            raise ValueError(f"format {fields['format']!r}")
        looks = [float(one) for one in fields["examination"]]
        return Fit.given(float(fields["slope"]), float(fields["intercept"]), looks)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"--current: got {error!r}, expected a file of `penchant calibrate`"
        ) from None
