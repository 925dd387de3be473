"""Position bias and calibration on the Open Bandit samples: `python -m benchmarks.ads_open_bandit`.

The samples hold no ranking scores. The score of an impression here is the log-odds of the item's
clicks before it, smoothed towards the rate of all items.
"""

from __future__ import annotations

import csv
import math
from collections import Counter

import numpy as np

from penchant.calibration.calibrate import CalibrationResult, calibrate_shown
from penchant.calibration.shown_ads import ShownAds
from tests.support.open_bandit import sample_file

POLICIES = {"random": "uniformly random", "bts": "Thompson sampling"}
CAMPAIGNS = ("all", "men", "women")
PRIOR_IMPRESSIONS = 250.0
"""Impressions, at the rate of all items, that smooth an item's rate: about one click."""


def impressions(policy: str, campaign: str) -> ShownAds:
    """Reads a sample in time order, each impression with a score from the earlier ones."""
    with sample_file(policy, campaign).open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["timestamp"])
    shown: Counter[str] = Counter()
    clicked: Counter[str] = Counter()
    scores = []
    for row in rows:
        item = row["item_id"]
        rate = (clicked.total() + 1) / (shown.total() + 250)
        odds = (clicked[item] + PRIOR_IMPRESSIONS * rate) / (shown[item] + PRIOR_IMPRESSIONS)
        scores.append(math.log(odds / (1 - odds)))
        shown[item] += 1
        clicked[item] += int(row["click"])
    return ShownAds(
        np.array(scores),
        np.array([int(row["position"]) for row in rows]),
        np.array([float(row["click"]) for row in rows]),
        Counter(),
    )


def line(name: str, found: CalibrationResult) -> str:
    """Formats a row of the table in docs/measurements/ads.md."""
    cells = [name, f"{found.impressions:,}", str(found.clicks)]
    for looks, (low, high) in zip(
        found.model.examination[1:], found.model.examination_intervals[1:], strict=True
    ):
        cells.append(f"{looks:.2f} ({low:.2f}–{high:.2f})")
    low, high = found.model.slope_interval
    cells.append(f"{found.model.slope:.2f} ({low:.2f}–{high:.2f})")
    for key in ("score", "without places", "with places"):
        one = found.held_out[key]
        cells.append(f"{one.ece:.4f} ({one.ece_by_chance:.4f})")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parts = []
    for policy, words in POLICIES.items():
        for campaign in CAMPAIGNS:
            part = impressions(policy, campaign)
            parts.append(part)
            print(line(f"{campaign}, {words}", calibrate_shown(part)))
    together = ShownAds(
        np.concatenate([one.score for one in parts]),
        np.concatenate([one.position for one in parts]),
        np.concatenate([one.clicked for one in parts]),
        Counter(),
    )
    order = np.random.default_rng(1).permutation(len(together.score))
    mixed = ShownAds(
        together.score[order], together.position[order], together.clicked[order], Counter()
    )
    print(line("all six, mixed", calibrate_shown(mixed)))


if __name__ == "__main__":
    main()
