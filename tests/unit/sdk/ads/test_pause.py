"""After a pause a campaign catches up without a burst, and still spends its budget."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from penchant.domain.frequency_caps import confirm, empty_ledger, grant
from penchant.domain.reservations import Budget, Pace, ReserveOption, ReserveRequest
from penchant.domain.spending import Spending
from penchant.domain.window import digest64
from penchant_sdk.ads import Campaign, DayPart, Flight, Money
from penchant_sdk.ads.pacing import CATCH_UP, WINDOW_S, allowed, pace
from tests.unit.sdk.ads.campaigns import MONDAY, campaign

HOURS = 6
COST = Money(5_000)
START_US = 1_000_000 * int(MONDAY.timestamp())
SECONDS = HOURS * 3600
FLIGHT = Flight(MONDAY, MONDAY + timedelta(hours=HOURS))
BUDGET = COST * (SECONDS // 5)
"""Even pace: one impression in five seconds; one could be shown each second."""


def played(one: Campaign, pause: range, *, paced: bool = True) -> NDArray[np.int64]:
    """Micros spent in each second, by a reader a second but for those of the pause."""
    spending, spent = Spending(), np.zeros(SECONDS, np.int64)
    for second in range(SECONDS):
        if second in pause:
            continue
        now_us = START_US + second * 1_000_000
        limits = pace(one, now_us)
        kept = Pace(limits.window_s, limits.window_micros, limits.total_micros, limits.left_s)
        budget = Budget("b", COST.micros, allowed(one, now_us).micros, kept if paced else None)
        request = ReserveRequest("u", "r", (ReserveOption("ad", (), budget),), 1, 60)
        granted = grant(empty_ledger(), {digest64("b"): spending}, request, now_us)
        if granted.reply.reserved:
            spending = granted.budgets[digest64("b")]
            shown = confirm(granted.ledger, "r", "ad", now_us)
            assert shown is not None
            ((_, micros, lapses_at_us),) = shown[1]
            spending = spending.confirm(micros, lapses_at_us)
            spent[second] = micros
    return spent


def most_in_a_window(spent: NDArray[np.int64]) -> float:
    """The most within any minute, in shares of an even minute."""
    sums = np.convolve(spent, np.ones(WINDOW_S, np.int64), "valid")
    return float(sums.max()) / (BUDGET.micros * WINDOW_S / SECONDS)


@pytest.mark.parametrize("begins", [0, 2 * 3600, SECONDS - 2 * 1800])
def test_half_an_hour_of_outage_is_caught_up_without_a_burst(begins: int) -> None:
    one = campaign(flight=FLIGHT, budget=BUDGET)
    pause = range(begins, begins + 1800)
    spent = played(one, pause)
    assert spent.sum() >= 0.998 * BUDGET.micros
    assert most_in_a_window(spent) <= CATCH_UP + 0.2
    after = min(pause.stop + 1800, SECONDS - 1)
    assert spent[:after].sum() >= 0.96 * allowed(one, START_US + after * 1_000_000).micros
    assert most_in_a_window(played(one, pause, paced=False)) > 4.9


def test_what_too_little_time_is_left_for_is_spread_over_it_evenly() -> None:
    one = campaign(flight=FLIGHT, budget=BUDGET)
    spent = played(one, range(SECONDS - 1800 - 900, SECONDS - 900))
    assert spent.sum() >= 0.99 * BUDGET.micros
    assert most_in_a_window(spent) <= 3.3  # 45 minutes of money for 15 minutes.


def test_a_pause_over_the_hours_between_day_parts_is_no_pause() -> None:
    one = campaign(flight=FLIGHT, budget=BUDGET, day_parts=(DayPart(0, 2), DayPart(4, 6)))
    spent = played(one, range(2 * 3600, 4 * 3600))
    assert spent.sum() >= 0.998 * BUDGET.micros
    assert most_in_a_window(spent) <= 1.5 * CATCH_UP  # The whole budget in two thirds of the time.
    assert pace(one, START_US + 3 * 3600 * 1_000_000).left_s == 2 * 3600


def test_the_first_impression_within_a_window_is_always_permitted() -> None:
    tiny = Pace(60, 0, 0, 0)
    assert Spending().keeps(tiny, 10**9, now_us=START_US)
    held = Spending().hold(1, START_US + 60_000_000, START_US)
    assert not held.keeps(tiny, 0 + 1, START_US + 1)
    assert held.keeps(tiny, 1, START_US + 65_000_000)
