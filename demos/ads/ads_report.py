"""Results of the ads demo: accounts, calibration, one visit with its reasons, all numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from demos.ads.accounts import Account
from demos.ads.day import Day, SimulatedImpression
from demos.ads.films import FilmDay
from demos.demo_tables import demo_table
from penchant.calibration.calibrate import CalibrationResult
from penchant.calibration.reliability import Reliability, reliability
from penchant_sdk.ads import Calibration

NEXT = {
    "examples/ads.py": "the same calls in forty lines",
    "penchant calibrate --help": "calibration on the log of your own server",
    "docs/clients/ads.md": "caps, pacing and exploration, and how they were checked",
}

GUESSED, CALIBRATED = "guessed", "calibrated"


def reliabilities(
    impressions: Sequence[SimulatedImpression], guess: Calibration
) -> Mapping[str, Reliability]:
    """Reliability of the stated click probabilities, and of those that the guess would have given.

    Args:
        impressions: one or more impressions with calibrated click probabilities.
        guess: the calibration to compare with.
    """
    position = np.array([one.decision.position for one in impressions])
    clicked = np.array([float(one.clicked) for one in impressions])
    guessed = [
        guess.click_probability(one.decision.score, one.decision.position) for one in impressions
    ]
    stated = [one.decision.click_probability for one in impressions]
    return {
        GUESSED: reliability(np.array(guessed), position, clicked),
        CALIBRATED: reliability(np.array(stated), position, clicked),
    }


def campaigns_table(accounts: Sequence[Account]) -> Table:
    """One row for each campaign."""
    numbers = ("shown", "CTR", "spent", "budget", "off pace", "seen")
    table = demo_table("Campaigns", "film", *numbers, numbers=numbers)
    for one in accounts:
        ctr = f"{one.clicks / one.impressions:.1%}" if one.impressions else "-"
        table.add_row(
            _name(one),
            f"{one.impressions:,}",
            ctr,
            str(one.spent),
            str(one.campaign.budget),
            f"{one.off_pace:.1%}",
            f"{one.hour_most}, {one.day_most}",
        )
    return table


def totals(
    accounts: Sequence[Account], day: Day, calibrated: Sequence[SimulatedImpression]
) -> Text:
    """The day's totals, and the meaning of the columns of the campaigns' table.

    Args:
        accounts: accounts of all campaigns.
        day: the whole day.
        calibrated: the impressions with calibrated click probabilities.
    """
    budget = sum(one.campaign.budget.micros for one in accounts) / 1e6
    spent = sum(one.spent.micros for one in accounts) / 1e6
    explored = sum(one.decision.propensity < 1 for one in day.impressions)
    expected = sum(one.decision.click_probability for one in calibrated)
    clicks = sum(one.clicked for one in calibrated)
    return Text(
        f"{day.visits:,} visits, {len(day.impressions):,} ads shown ({explored:,} of them "
        f"explored), {spent:.2f} of {budget:.2f} spent.\n"
        "Off pace: largest distance from an even pace at the end of an hour, in % of the budget.\n"
        "Seen: most impressions to one reader in an hour and in the day; the caps are 2 and 5.\n"
        f"Clicks after 8:00: {expected:.0f} expected, {clicks} observed.\n"
    )


def calibration_table(
    last: CalibrationResult, stated: Mapping[str, Reliability], truth: Sequence[float]
) -> Table:
    """Errors of guessed and calibrated click probabilities, and the examination of each place.

    Args:
        last: the day's last calibration.
        stated: reliabilities by name.
        truth: true examination of each place, relative to the first.
    """
    numbers = ("calibration error", "by chance alone", "log-loss")
    table = demo_table("Click probabilities after 8:00", "", *numbers, numbers=numbers)
    for name, one in stated.items():
        row = (f"{one.ece:.4f}", f"{one.ece_by_chance:.4f}", f"{one.log_loss:.4f}")
        table.add_row(name, *row)
    places = zip(last.model.examination, last.model.examination_intervals, truth, strict=False)
    looks = "; ".join(
        f"place {place} {looks:.2f} ({low:.2f} to {high:.2f}), true {true}"
        for place, (looks, (low, high), true) in enumerate(places, start=1)
        if place > 1
    )
    table.caption = f"Examination relative to place 1: {looks}.\n"
    table.caption_justify = "left"
    return table


def visit_table(impressions: Sequence[SimulatedImpression], films: FilmDay) -> Table:
    """The ads of one visit with their reasons: the visit with the most films named as reasons."""
    visits: dict[str, list[SimulatedImpression]] = {}
    for one in impressions:
        visits.setdefault(one.decision.recommendation_id, []).append(one)
    shown = max(visits.values(), key=_expressiveness)
    names = {one.id: one.text.partition(". ")[0] for one in films.campaigns}
    first = shown[0]
    clock = f"{int(first.at_s // 3600)}:{int(first.at_s % 3600 // 60):02}"
    title = f"One visit: reader {first.decision.user} at {clock}"
    columns = ("place", "ad", "probability", "clicked", "why")
    table = demo_table(title, *columns, numbers=("place", "probability"))
    for one in shown:
        table.add_row(
            str(one.decision.position),
            shorten(names[one.decision.campaign], 26, placeholder=" ..."),
            f"{one.decision.click_probability:.1%}",
            "yes" if one.clicked else "",
            one.decision.reason,
        )
    return table


def _expressiveness(shown: Sequence[SimulatedImpression]) -> tuple[bool, int, int]:
    """Prefers visits without exploration, then more reasons that name a film, then more clicks."""
    reasons = {one.decision.reason for one in shown}
    named = sum('"' in reason for reason in reasons)
    exploited = all(one.decision.propensity == 1 for one in shown)
    return exploited, named, sum(one.clicked for one in shown)


def numbers(
    accounts: Sequence[Account],
    day: Day,
    last: CalibrationResult,
    stated: Mapping[str, Reliability],
    seconds: float,
) -> dict[str, Any]:
    """All numbers of the demo, ready for JSON.

    Args:
        accounts: accounts of all campaigns.
        day: the whole day.
        last: the day's last calibration.
        stated: reliabilities by name.
        seconds: duration of the demo.
    """
    return {
        "seconds": round(seconds, 1),
        "visits": day.visits,
        "impressions": len(day.impressions),
        "campaigns": [
            {
                "film": _name(one),
                "impressions": one.impressions,
                "clicks": one.clicks,
                "expected_clicks": round(one.expected_clicks, 2),
                "spent": float(one.spent.amount),
                "budget": float(one.campaign.budget.amount),
                "off_pace": round(one.off_pace, 4),
                "hours_off": round(one.hours_off, 4),
                "hour_most": one.hour_most,
                "day_most": one.day_most,
            }
            for one in accounts
        ],
        "examination": {
            "estimated": last.model.examination.tolist(),
            "intervals_95": last.model.examination_intervals,
            "true": list(day.readers.examination),
        },
        "calibration_error": {name: one.ece for name, one in stated.items()},
        "calibration_error_by_chance": {name: one.ece_by_chance for name, one in stated.items()},
        "log_loss": {name: one.log_loss for name, one in stated.items()},
    }


def _name(one: Account) -> str:
    return shorten(one.campaign.text.partition(". ")[0], 22, placeholder=" ...")
