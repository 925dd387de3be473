"""Simulated days on the backend: caps, budgets, pace and probabilities against the truth."""

from __future__ import annotations

import numpy as np
import pytest

from demos.ads.accounts import Account, account, broken_rules
from demos.ads.day import Day, most_within
from penchant.calibration.calibrate import calibrate_shown
from penchant_sdk import PlackettLuce
from penchant_sdk.ads import Calibration, Money
from tests.support.ad_days import play, shown_of

ALIKE = Calibration(slope=0.0, intercept=-3.2, examination=(1.0,))
"""Every ad in every place has the same click probability, so only money and chance decide."""
GUESS = Calibration(slope=1.0, intercept=-2.2, examination=(1.0,))
"""Every place is examined equally, so the estimate can't start from the truth."""


@pytest.fixture(scope="module")
def busy() -> tuple[Day, list[Account]]:
    """A day with more places than the budgets can fill, at every hour."""
    day, campaigns = play(
        budget=Money.of("7.80"),
        count=3000,
        users=180,  # So many that the caps alone never leave an hour's budget unspent.
        calibration=ALIKE,
        explore=PlackettLuce(1.0),
    )
    return day, [account(one, day.impressions, day.plan.midnight) for one in campaigns]


def test_no_reader_sees_an_ad_more_often_than_its_caps_allow(
    busy: tuple[Day, list[Account]],
) -> None:
    day, accounts = busy
    assert broken_rules(accounts) == []
    assert most_within(3600, day.impressions) == 3  # Reached, and never passed.
    assert max(one.day_most for one in accounts) == 8


def test_budgets_are_spent_evenly_by_the_hour_and_never_exceeded(
    busy: tuple[Day, list[Account]],
) -> None:
    _, accounts = busy
    for one in accounts:
        assert one.spent <= one.campaign.budget
        assert (one.by_hour <= one.even + 1e-9).all()  # Never ahead of time.
        assert one.off_pace < 0.02
    # An hour's share is 21 impressions: one of them more or less is 5 % of it.
    together = sum(np.diff(one.by_hour, prepend=0.0) for one in accounts) / len(accounts)
    assert together == pytest.approx(np.full(24, 1 / 24), rel=0.10)
    assert max(one.hours_off for one in accounts) < 0.20


def test_accounts_add_up_to_all_impressions_and_clicks(busy: tuple[Day, list[Account]]) -> None:
    day, accounts = busy
    assert sum(one.impressions for one in accounts) == len(day.impressions)
    assert sum(one.clicks for one in accounts) == sum(one.clicked for one in day.impressions)


def test_examination_is_found_and_calibration_brings_the_error_down() -> None:
    day, _ = play(
        budget=Money.of(1_000_000),
        count=1000,
        users=30,
        caps=(),
        calibration=GUESS,
        explore=PlackettLuce(1.0),
    )
    found = calibrate_shown(shown_of(day.impressions))
    for true, estimated, (low, high) in zip(
        day.readers.examination,
        found.model.examination,
        found.model.examination_intervals,
        strict=True,
    ):
        assert estimated == pytest.approx(true, abs=0.15)
        assert low <= true <= high
    assert found.model.slope_interval[0] > 0
    error = {name: one.ece for name, one in found.held_out.items()}
    assert error["with places"] < error["without places"] < 0.1 * error["score"]
