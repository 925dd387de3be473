"""The synchronous ad client.

>>> from datetime import UTC, datetime
>>> from penchant_sdk.testing import FakePenchant  # Penchant("localhost:8001") in real life
>>> from penchant_sdk.ads import AdContext, Campaign, Flight, Money, Size, Slot
>>> year = Flight(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
>>> tents = Campaign("tents", "Tents for two", "Oak & Sons", year, Money.of(500), Money.of("0.40"))
>>> ads = AdClient(FakePenchant(signals="default,ads"))
>>> put = ads.put_campaigns([tents])
>>> noon = AdContext("Tents for two: which one?", at=datetime(2026, 7, 1, 12, tzinfo=UTC))
>>> (decision,) = ads.select(user="u42", slot=Slot("article", Size(300, 250)), context=noon)
>>> decision.campaign, decision.reason
('tents', 'Because it fits the text of the page.')
>>> shown = ads.impression(decision, at=noon.at)
>>> clicked = ads.click(decision, at=noon.at)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from penchant_sdk._calls import Plan
from penchant_sdk.ads import _plans
from penchant_sdk.ads._knowledge import Knowledge
from penchant_sdk.ads.calibration import UNCALIBRATED, Calibration
from penchant_sdk.ads.campaign import Campaign, to_item
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.types import AdContext, Decision, Slot
from penchant_sdk.client import Penchant
from penchant_sdk.errors import PenchantError
from penchant_sdk.exploration import PlackettLuce
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import EventResult

T = TypeVar("T")

LAPSE_S = 60
"""Seconds in which a decision must be shown, unless a client is told otherwise."""


class AdClient:
    """Selects ads for slots, and tells what became of them; safe to share between threads.

    The server must know the ads' signals: setting `signals`, for example `default,ads`. Every verb
    raises what the verbs of `Penchant` raise.
    """

    def __init__(
        self,
        penchant: Penchant,
        campaigns: Iterable[Campaign] = (),
        *,
        calibration: Calibration = UNCALIBRATED,
        lapse_s: int = LAPSE_S,
        seed: int | None = None,
    ) -> None:
        """Makes a client over a connection, which stays its caller's.

        Args:
            penchant: the connection, with its deadlines and retries.
            campaigns: those that the server's catalog holds already; see also `load_campaigns`.
            calibration: from `Calibration.load`.
            lapse_s: seconds in which a decision must be shown; 1 to 3,600.
            seed: of what exploration draws; None: another each time.
        """
        self._penchant = penchant
        self._knowledge = Knowledge(campaigns, calibration, seed)
        self._lapse_s = lapse_s

    @property
    def campaigns(self) -> Mapping[str, Campaign]:
        """Those that may be selected, by id."""
        return self._knowledge.campaigns

    @property
    def calibration(self) -> Calibration:
        """From score and place to click probability; a new one may be set at any time."""
        return self._knowledge.calibration

    @calibration.setter
    def calibration(self, calibration: Calibration) -> None:
        self._knowledge.calibration = calibration

    def put_campaigns(
        self, campaigns: Iterable[Campaign], *, timeout_s: float | None = None
    ) -> PutItemsResult:
        """Puts campaigns into the server's catalog; when it returns they can be selected.

        What was spent and shown goes by the campaign's id: a changed budget goes on from there. To
        stop one, let its flight end.

        Args:
            campaigns: 1 or more.
            timeout_s: seconds for each call of 256. Default: 30, or the connection's if longer.

        Raises:
            InvalidRequest: the rules of one are too long to travel; none was put.
        """
        listed = list(campaigns)
        result = self._penchant.put_items(map(to_item, listed), timeout_s=timeout_s)
        self._knowledge.add_campaigns(listed)
        return result

    def load_campaigns(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> tuple[Campaign, ...]:
        """Reads campaigns from the server's catalog; from now on they can be selected.

        Args:
            ids: 1 or more.
            timeout_s: seconds for each call of 1,000. Default: the connection's.

        Raises:
            InvalidRequest: an id is unknown, or its item is no campaign.
        """
        return self._knowledge.add_items(self._penchant.get_items(ids, timeout_s=timeout_s))

    def select(
        self,
        *,
        user: str,
        slot: Slot,
        context: AdContext | None = None,
        n: int = 1,
        explore: PlackettLuce | None = None,
        explain: bool = True,
        timeout_s: float | None = None,
    ) -> tuple[Decision, ...]:
        """Decides which ads to show, and reserves each impression.

        Of the campaigns whose flight, day-parts, targeting and categories allow it, those that are
        worth most are reserved: value = bid * P(click | score, place). Frequency caps are exact,
        whatever other clients do at the same time, and a campaign spends at most its budget's share
        of the time gone by. An impression costs bid * P(click), at the mean of the n places.

        Args:
            user: 1 to 256 bytes.
            slot: where.
            context: page, moment, device; None: nothing is known of them.
            n: ads for the places from `slot.position` on; fewer come back where no more may be
                shown.
            explore: draw the order by Plackett-Luce over log(value): at temperature 1 in proportion
                to the value, below it closer to the best. Each decision's propensity is exact (see
                `penchant_sdk.ads.choosing`). None, or where the user's budget of explored
                impressions is used up: the best, with propensity 1.
            explain: give each decision a reason that names past events; it costs a call more,
                and where that fails the decisions come without.
            timeout_s: seconds for each of the two to four calls. Default: the connection's.

        Returns:
            Decisions from the first place on, the most valuable first unless it was explored.
        """
        selection = _plans.Selection(
            user, slot, context or AdContext(), n, explore, explain, self._lapse_s
        )
        plan = _plans.select(selection, self._knowledge)
        decisions = () if plan is None else self._run(plan, timeout_s)
        if not (explain and decisions):
            return decisions
        try:
            why = _plans.explained(decisions, selection, self._knowledge)
            return self._run(why, timeout_s)
        except PenchantError:  # They are reserved: better without their reasons than not at all.
            return decisions

    def impression(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Tells that an ad was shown: confirms its reservation. Repeated, it counts once.

        Without a click it counts a little against the ad after half an hour.

        Args:
            decision: from `select`.
            at: when; a datetime with a time zone, or epoch seconds. None: now.
            timeout_s: seconds for the call. Default: the connection's.
        """
        return self._tell(decision, "impression", at, timeout_s)

    def click(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Tells that a shown ad was clicked; late, early or repeated, it counts once."""
        return self._tell(decision, "click", at, timeout_s)

    def conversion(
        self,
        decision: Decision,
        *,
        value: Money,
        id: str = "",
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Tells that a shown ad led to a sale.

        Args:
            decision: from `select`.
            value: what it was worth.
            id: of the order, say; several with ids of their own count each. Empty: the only one.
            at: when. None: now.
            timeout_s: seconds for the call. Default: the connection's.
        """
        plan = _plans.tell(decision, "conversion", at, value=float(value.amount), own_id=id)
        return self._run(plan, timeout_s)

    def hide(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Tells that the user wants to see this ad no more: it is never selected for them again."""
        return self._tell(decision, "hide", at, timeout_s)

    def _tell(
        self,
        decision: Decision,
        signal: str,
        at: datetime | float | None,
        timeout_s: float | None,
    ) -> EventResult:
        return self._run(_plans.tell(decision, signal, at), timeout_s)

    def _run(self, plan: Plan[T], timeout_s: float | None) -> T:
        # The connection's own way to the server: with its retries and its deadline.
        return self._penchant._driver.run(plan, self._penchant._limit(timeout_s))
