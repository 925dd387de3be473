"""Ads shown to simulated readers: `python -m benchmarks.ad_calibration --output DIR`.

Days of visits run on the backend in this process, without Triton. Measured are the pace and the
caps of a busy day, the error of fitted examination and click probabilities, and whether the
intervals of off-policy estimates, from the ad client's own propensities, hold the true values.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demos.ads.accounts import account, broken_rules
from demos.ads.day import Day
from penchant.calibration.calibrate import calibrate_shown
from penchant.calibration.plot import draw
from penchant.evaluation.ope.estimate_policies import OpeRequest, estimate_policies
from penchant.evaluation.ope.logged_impressions import ImpressionColumns
from penchant.evaluation.ope.policy_value import PolicyEstimates
from penchant_sdk import PlackettLuce
from penchant_sdk.ads import Calibration, Money
from tests.support.ad_days import play, shown_of

ALIKE = Calibration(slope=0.0, intercept=-3.2, examination=(1.0,))
GUESS = Calibration(slope=1.0, intercept=-2.2, examination=(1.0,))
RICH = Money.of(1_000_000)
FAVOURED = 2
"""Campaigns, the most wished for in truth, that a candidate policy shows four times as often."""
CALIBRATION_VISITS = (1000, 3000)
PICTURE, NUMBERS = "ads_calibration.png", "ads.json"


def pace(visits: int) -> dict[str, Any]:
    """Measures a day with more places than budget."""
    day, campaigns = play(
        budget=Money.of(f"{7.8 * visits / 3000:.2f}"),
        count=visits,
        users=visits // 25,
        calibration=ALIKE,
        explore=PlackettLuce(1.0),
    )
    accounts = [account(one, day.impressions, day.plan.midnight) for one in campaigns]
    return {
        "visits": visits,
        "impressions": len(day.impressions),
        "furthest_from_even_pace": max(one.off_pace for one in accounts),
        "furthest_hour_from_even": max(one.hours_off for one in accounts),
        "spent_share": [one.spent.micros / one.campaign.budget.micros for one in accounts],
        "most_in_an_hour": max(one.hour_most for one in accounts),
        "most_in_a_day": max(one.day_most for one in accounts),
        "broken": broken_rules(accounts),
    }


def calibration(visits: int, picture: Path | None) -> dict[str, Any]:
    """Measures examination and calibration error on one day of visits."""
    day, _ = play(
        budget=RICH,
        count=visits,
        users=visits // 33,
        caps=(),
        calibration=GUESS,
        explore=PlackettLuce(1.0),
    )
    found = calibrate_shown(shown_of(day.impressions))
    if picture:
        draw(found, picture)
    return {
        "impressions": found.impressions,
        "clicks": found.clicks,
        "examination": found.model.examination.tolist(),
        "intervals": found.model.examination_intervals,
        "truth": day.readers.examination,
        "ece": {name: one.ece for name, one in found.held_out.items()},
        "by_chance": {name: one.ece_by_chance for name, one in found.held_out.items()},
        "log_loss": {name: one.log_loss for name, one in found.held_out.items()},
    }


def off_policy(seed: int, visits: int) -> dict[str, Any]:
    """Estimates the values of two candidates from one explored log, beside their true values."""
    directory = _directory()
    day, campaigns = play(
        budget=RICH,
        count=visits,
        users=60,
        caps=(),
        calibration=GUESS,
        explore=PlackettLuce(1.0),
        places=1,
        seed=seed,
    )
    ids = [one.id for one in campaigns]
    weights = np.ones(len(ids))
    weights[np.argsort(-day.readers.attraction.mean(axis=0))[:FAVOURED]] = 4.0
    _write_log(day, directory / "log.csv")
    _write_rows(
        directory / "favoured.csv",
        ("action", "probability"),
        list(zip(ids, weights / weights.sum(), strict=True)),
    )
    log, columns = directory / "log.csv", ImpressionColumns(reward="click", user="user")
    uniform = estimate_policies(OpeRequest(log, policy="uniform", columns=columns))
    favoured = estimate_policies(
        OpeRequest(log, action_probabilities=directory / "favoured.csv", columns=columns)
    )
    users = [one.decision.user for one in day.impressions]
    return {
        "uniform": _compare(uniform, day, users, np.full(len(ids), 1 / len(ids))),
        "favoured": _compare(favoured, day, users, weights / weights.sum()),
    }


def _compare(
    found: PolicyEstimates, day: Day, users: Sequence[str], policy: NDArray[np.float64]
) -> dict[str, Any]:
    """Puts the estimates beside the policy's true value for the readers of the day."""
    rows = [day.readers.users.index(user) for user in users]
    truth = float((day.readers.attraction[rows] @ policy).mean() * day.readers.examination[0])
    return {
        "truth": truth,
        "logged": found.logging.value,
        "effective_rows": found.diagnostics.effective_sample_size,
        "estimates": {
            name: (one.value, one.low, one.high, one.low <= truth <= one.high)
            for name, one in found.estimates.items()
        },
    }


def _write_log(day: Day, path: Path) -> None:
    rows = [
        (one.decision.campaign, int(one.clicked), one.decision.propensity, one.decision.user)
        for one in day.impressions
    ]
    _write_rows(path, ("item", "click", "propensity", "user"), rows)


def _write_rows(path: Path, heading: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(heading)
        table.writerows(rows)


def _directory() -> Path:
    return Path(tempfile.mkdtemp(prefix="ads-"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("out"))
    parser.add_argument("--visits", type=int, default=8000, help="of the busy day")
    parser.add_argument("--logs", type=int, default=10, help="for the off-policy estimates")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    last = CALIBRATION_VISITS[-1]
    picture = arguments.output / PICTURE
    found["calibration"] = [
        calibration(visits, picture if visits == last else None) for visits in CALIBRATION_VISITS
    ]
    found["off_policy"] = [off_policy(seed, 1000) for seed in range(1, arguments.logs + 1)]
    found["pace"] = pace(arguments.visits)
    text = json.dumps(found, indent=2)
    (arguments.output / NUMBERS).write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
