"""One user's reservations under fixed caps and one budget, and the impressions shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from penchant.domain.frequency_caps import SECOND_US, Ledger, confirm, empty_ledger, grant, moment
from penchant.domain.reservations import (
    Budget,
    Cap,
    Reservations,
    ReserveOption,
    ReserveRequest,
)
from penchant.domain.spending import Spending
from penchant.domain.window import digest64

CAPS = {"a": Cap("a", 2, 30), "b": Cap("b", 1, 10), "c": Cap("c", 3, 5000)}
ALLOWED_MICROS = 30
BUDGET = digest64("money")


def _option(item: str, caps: str, cost_micros: int) -> ReserveOption:
    budget = Budget("money", cost_micros, ALLOWED_MICROS)
    return ReserveOption(item, tuple(CAPS[key] for key in caps), budget)


OPTIONS = [
    _option("one", "a", 10),
    _option("two", "ab", 11),
    _option("three", "ca", 0),
    ReserveOption("free"),
]

STEPS = st.lists(
    st.tuples(
        st.integers(0, 12),  # seconds since the step before
        st.sampled_from(["reserve", "show"]),
        st.integers(0, 9),  # which recommendation, or which of the reservations
        st.permutations(OPTIONS),
        st.integers(1, 3),  # n
        st.sampled_from([5, 20, 60]),  # seconds until the reservations lapse
    ),
    min_size=10,
    max_size=40,
)


@dataclass
class Shop:
    """The state that a server keeps, and an independent record of the impressions."""

    now_s: int = 1000
    ledger: Ledger = field(default_factory=empty_ledger)
    spending: Spending = field(default_factory=Spending)
    open: dict[tuple[str, str], int] = field(default_factory=dict)
    """Lapse times of open reservations, by recommendation and item."""
    shown: list[tuple[str, int, bool]] = field(default_factory=list)
    """Shown items, their times in microseconds, and whether each was in time."""

    @property
    def now_us(self) -> int:
        return self.now_s * SECOND_US

    def reserve(
        self, recommendation_id: str, options: list[ReserveOption], n: int, lapse_s: int
    ) -> Reservations:
        request = ReserveRequest("u", recommendation_id, tuple(options), n, lapse_s)
        granted = grant(self.ledger, {BUDGET: self.spending}, request, self.now_us)
        self.ledger = granted.ledger
        self.spending = granted.budgets.get(BUDGET, self.spending)
        for one in granted.reply.reserved:
            if one.lapses_at_us > moment(granted.ledger, self.now_us):
                self.open[recommendation_id, one.item] = one.lapses_at_us
        return granted.reply

    def show(self, recommendation_id: str, item: str) -> bool:
        """Confirms a reservation; False if there is none, or it was confirmed before."""
        ledger = self.ledger
        in_time = self.open.get((recommendation_id, item), 0) > moment(ledger, self.now_us)
        confirmed = confirm(ledger, recommendation_id, item, self.now_us)
        if confirmed is None:
            return False
        self.ledger, payments, _ = confirmed
        for _, cost_micros, lapses_at_us in payments:
            self.spending = self.spending.confirm(cost_micros, lapses_at_us)
        self.open.pop((recommendation_id, item), None)
        row = self.ledger[self.ledger["item"] == digest64(item)]
        times = row["shown_at_us"][row["recommendation"] == digest64(recommendation_id)]
        self.shown.append((item, int(times[0]), in_time))
        return True
