"""The ledger: caps hold in every window of shown impressions, and no money is spent twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.frequency_caps import (
    LATE_US,
    NOT_SHOWN,
    SECOND_US,
    Granted,
    Ledger,
    confirm,
    empty_ledger,
    grant,
    prune,
)
from penchant.domain.reservations import (
    Budget,
    Cap,
    Reservation,
    ReserveOption,
    ReserveRequest,
    Unreserved,
    UnreservedReason,
)
from penchant.domain.spending import Spending
from penchant.domain.window import digest64
from tests.support.ledgers import ALLOWED_MICROS, CAPS, OPTIONS, STEPS, Shop

HOUR_US = 3600 * SECOND_US
CAP = Cap("k", 2, 3600)
MONEY = digest64("money")


def capped(*items: str, caps: tuple[Cap, ...] = (CAP,)) -> tuple[ReserveOption, ...]:
    return tuple(ReserveOption(item, caps) for item in items)


def asked(
    ledger: Ledger, id_: str, options: tuple[ReserveOption, ...], now_us: int, n: int = 1
) -> Granted:
    return grant(ledger, {}, ReserveRequest("u", id_, options, n, lapse_s=60), now_us)


def items(granted: Granted) -> list[str]:
    return [one.item for one in granted.reply.reserved]


def play(shop: Shop, steps: list[Any], *, back_s: int = 0) -> None:
    """Takes random steps; every fifth sets the clock back."""
    for place, (seconds, action, which, options, n, lapse_s) in enumerate(steps):
        shop.now_s += seconds - (back_s if place % 5 == 4 else 0)
        if action == "reserve":
            again = which < 2  # Some calls repeat an earlier one.
            shop.reserve(f"r{which if again else place + 10}", options, n, lapse_s)
        elif shop.open:
            known = sorted(shop.open)
            shop.show(*known[which % len(known)])


def most_in_any_window(times_us: list[int], window_us: int) -> int:
    return max(
        (sum(start <= time < start + window_us for time in times_us) for start in times_us),
        default=0,
    )


@given(steps=STEPS, back_s=st.sampled_from([0, 30]))
def test_no_window_of_impressions_shown_in_time_exceeds_a_cap(
    steps: list[Any], back_s: int
) -> None:
    shop = Shop()
    play(shop, steps, back_s=back_s)
    capped_by = {option.item: {cap.key for cap in option.caps} for option in OPTIONS}
    for key, cap in CAPS.items():
        times = [at for item, at, in_time in shop.shown if in_time and key in capped_by[item]]
        assert most_in_any_window(times, cap.window_s * SECOND_US) <= cap.limit


@given(steps=STEPS)
def test_a_budget_is_never_overspent_by_impressions_shown_in_time(steps: list[Any]) -> None:
    shop = Shop()
    play(shop, steps)
    cost = {option.item: option.budget.cost_micros for option in OPTIONS if option.budget}
    paid = [(cost.get(item, 0), in_time) for item, _, in_time in shop.shown]
    assert sum(micros for micros, in_time in paid if in_time) <= ALLOWED_MICROS
    assert shop.spending.spent_micros == sum(micros for micros, _ in paid)
    assert shop.spending.committed_micros(shop.now_us + 3601 * SECOND_US) == sum(
        micros for micros, _ in paid
    )


@given(steps=STEPS, which=st.integers(0, 5), options=st.permutations(OPTIONS), n=st.integers(1, 3))
def test_a_repeated_call_gets_the_same_answer_and_changes_nothing(
    steps: list[Any], which: int, options: list[ReserveOption], n: int
) -> None:
    shop = Shop()
    play(shop, steps)
    first = shop.reserve(f"r{which}", options, n, 30)
    before = shop.ledger, shop.spending
    again = shop.reserve(f"r{which}", options, n, 30)
    assert again.reserved == first.reserved
    # Refused options stay refused, though the reason may change with the first call's grants.
    assert [one.item for one in again.refused] == [one.item for one in first.refused]
    if first.reserved:
        assert shop.ledger is before[0]
        assert shop.spending is before[1]


@given(steps=STEPS)
def test_time_forgets_everything(steps: list[Any]) -> None:
    shop = Shop()
    play(shop, steps)
    longest_s = max(cap.window_s for cap in CAPS.values())
    end_us = (shop.now_s + 60 + max(longest_s, LATE_US // SECOND_US)) * SECOND_US
    assert len(prune(shop.ledger, end_us)) == 0


def test_one_request_takes_the_best_options_until_it_has_enough() -> None:
    granted = asked(empty_ledger(), "r", capped("a", "b", "c"), now_us=5, n=2)
    lapses_at_us = 5 + 60 * SECOND_US
    assert granted.reply.reserved == (
        Reservation("a", lapses_at_us),
        Reservation("b", lapses_at_us),
    )
    # The cap's two places are taken, whether or not the option's turn had come.
    assert granted.reply.refused == (Unreserved("c", UnreservedReason.CAPPED),)


def test_an_option_whose_turn_does_not_come_is_neither_reserved_nor_refused() -> None:
    granted = asked(empty_ledger(), "r", capped("a", "b"), now_us=0)
    assert items(granted) == ["a"]
    assert granted.reply.refused == ()


def test_a_capped_option_leaves_its_place_to_the_next() -> None:
    other = ReserveOption("free")
    full = asked(empty_ledger(), "r", capped("a", "b"), now_us=0, n=2).ledger
    assert items(asked(full, "r2", (*capped("c"), other), now_us=0)) == ["free"]


def test_a_lapsed_place_comes_back() -> None:
    ledger = asked(empty_ledger(), "r", capped("a", "b"), now_us=0, n=2).ledger
    assert items(asked(ledger, "r2", capped("c"), now_us=60 * SECOND_US - 1)) == []
    assert items(asked(ledger, "r2", capped("c"), now_us=60 * SECOND_US)) == ["c"]


def test_a_place_that_may_still_be_shown_is_taken_however_short_the_window() -> None:
    short = (Cap("k", 1, 10),)
    ledger = asked(empty_ledger(), "r", capped("a", caps=short), now_us=0).ledger
    assert items(asked(ledger, "r2", capped("b", caps=short), now_us=50 * SECOND_US)) == []


def test_an_impression_counts_under_the_longer_window_of_another_option() -> None:
    """A cap of one hour must not drop impressions that a cap of one day still counts."""
    hour = ReserveOption("a", (Cap("k", 1, 3600),))
    day = ReserveOption("b", (Cap("k", 1, 86_400),))
    ledger = asked(empty_ledger(), "r", (hour, day), now_us=0).ledger
    confirmed = confirm(ledger, "r", "a", 0)
    assert confirmed is not None
    later = asked(confirmed[0], "r2", (day, hour), now_us=5 * HOUR_US)
    assert items(later) == ["a"]
    again = confirm(later.ledger, "r2", "a", 5 * HOUR_US)
    assert again is not None
    assert items(asked(again[0], "r3", (day, hour), now_us=25 * HOUR_US)) == ["a"]
    assert len(asked(again[0], "r3", (day, hour), now_us=25 * HOUR_US).reply.refused) == 1


def test_a_shown_place_comes_back_when_its_window_has_passed() -> None:
    ledger = asked(empty_ledger(), "r", capped("a"), now_us=0).ledger
    confirmed = confirm(ledger, "r", "a", shown_at_us=30 * SECOND_US)
    assert confirmed is not None
    once = capped("b", caps=(Cap("k", 1, 3600),))
    assert items(asked(confirmed[0], "r2", once, HOUR_US + 30 * SECOND_US - 1)) == []
    assert items(asked(confirmed[0], "r2", once, HOUR_US + 30 * SECOND_US)) == ["b"]


def test_a_late_impression_counts_from_when_it_was_shown() -> None:
    ledger = asked(empty_ledger(), "r", capped("a", caps=(Cap("k", 1, 3600),)), now_us=0).ledger
    confirmed = confirm(ledger, "r", "a", shown_at_us=100 * SECOND_US)
    assert confirmed is not None
    again = capped("b", caps=(Cap("k", 1, 3600),))
    assert items(asked(confirmed[0], "r2", again, now_us=101 * SECOND_US)) == []


def test_confirming_twice_changes_nothing() -> None:
    ledger = asked(empty_ledger(), "r", capped("a"), now_us=0).ledger
    confirmed = confirm(ledger, "r", "a", 1)
    assert confirmed is not None
    assert confirm(confirmed[0], "r", "a", 2) is None
    assert ledger["shown_at_us"].tolist() == [NOT_SHOWN]


@pytest.mark.parametrize(("recommendation_id", "item"), [("r2", "a"), ("r", "b"), ("", "a")])
def test_an_impression_that_was_not_reserved_confirms_nothing(
    recommendation_id: str, item: str
) -> None:
    ledger = asked(empty_ledger(), "r", capped("a"), now_us=0).ledger
    assert confirm(ledger, recommendation_id, item, 0) is None


@given(order=st.permutations(["a", "b", "c"]))
def test_the_order_of_confirmations_does_not_matter(order: list[str]) -> None:
    shown_at_us = {"a": 1, "b": 2, "c": 3}
    ledger = asked(empty_ledger(), "r", capped(*"abc", caps=(Cap("k", 9, 60),)), 0, n=3).ledger
    for item in order:
        confirmed = confirm(ledger, "r", item, shown_at_us[item])
        assert confirmed is not None
        ledger = confirmed[0]
    assert ledger["shown_at_us"].tolist() == [1, 2, 3]


def test_a_recommendation_that_has_lapsed_is_granted_anew_in_the_same_place() -> None:
    ledger = asked(empty_ledger(), "r", capped("a"), now_us=0).ledger
    again = asked(ledger, "r", capped("a"), now_us=61 * SECOND_US)
    assert items(again) == ["a"]
    assert again.ledger["lapses_at_us"].tolist() == [121 * SECOND_US]


def test_an_impression_under_several_caps_pays_once() -> None:
    option = ReserveOption(
        "a", (Cap("k", 1, 60), Cap("k", 5, 600), Cap("l", 1, 60)), Budget("money", 7, 7)
    )
    request = ReserveRequest("u", "r", (option,), n=1, lapse_s=60)
    granted = grant(empty_ledger(), {MONEY: Spending()}, request, now_us=0)
    assert granted.ledger["window_us"].tolist() == [600 * SECOND_US, 60 * SECOND_US]
    assert granted.budgets[MONEY].committed_micros(0) == 7
    confirmed = confirm(granted.ledger, "r", "a", 0)
    assert confirmed is not None
    assert confirmed[1] == [(MONEY, 7, 60 * SECOND_US)]


def test_a_budget_that_is_held_refuses_and_gives_back_when_it_lapses() -> None:
    option = ReserveOption("a", (), Budget("money", 7, 13))
    requests = [ReserveRequest("u", id_, (option,), 1, lapse_s=60) for id_ in ("r", "r2")]
    first = grant(empty_ledger(), {MONEY: Spending()}, requests[0], now_us=0)
    second = grant(first.ledger, first.budgets, requests[1], now_us=SECOND_US)
    assert second.reply.refused == (Unreserved("a", UnreservedReason.BUDGET),)
    assert second.ledger is first.ledger
    third = grant(first.ledger, first.budgets, requests[1], now_us=60 * SECOND_US)
    assert items(third) == ["a"]


def test_a_ledger_keeps_only_what_may_still_matter() -> None:
    ledger = empty_ledger()
    for hour in range(100):
        granted = asked(ledger, f"r{hour}", capped("a"), hour * HOUR_US)
        shown = confirm(granted.ledger, f"r{hour}", "a", hour * HOUR_US)
        assert shown is not None
        ledger = shown[0]
    assert len(ledger) == 1
    assert np.all(ledger["at_us"] == 99 * HOUR_US)
