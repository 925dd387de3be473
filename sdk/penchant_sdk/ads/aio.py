"""The asynchronous ad client.

>>> import asyncio
>>> from datetime import UTC, datetime
>>> from penchant_sdk.testing import AsyncFakePenchant  # AsyncPenchant("localhost:8001") in use
>>> from penchant_sdk.ads import AdContext, Campaign, Flight, Money, Size, Slot
>>> year = Flight(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
>>> tents = Campaign("tents", "Tents for two", "Oak & Sons", year, Money.of(500), Money.of("0.40"))
>>> slot = Slot("article", Size(300, 250))
>>> noon = AdContext("Tents for two: which one?", at=datetime(2026, 7, 1, 12, tzinfo=UTC))
>>> async def main() -> tuple[str, str]:
...     ads = AsyncAdClient(AsyncFakePenchant(signals="default,ads"))
...     put = await ads.put_campaigns([tents])
...     (decision,) = await ads.select(user="u42", slot=slot, context=noon)
...     shown = await ads.impression(decision, at=noon.at)
...     clicked = await ads.click(decision, at=noon.at)
...     return decision.campaign, decision.reason
>>> asyncio.run(main())
('tents', 'Because it fits the text of the page.')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from penchant_sdk._arguments import real
from penchant_sdk.ads import _operations
from penchant_sdk.ads._knowledge import Knowledge
from penchant_sdk.ads.brand_safety import THRESHOLD
from penchant_sdk.ads.calibration import UNCALIBRATED, Calibration
from penchant_sdk.ads.campaign import Campaign, to_items
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.types import AdContext, Decision, Slot
from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.exploration import PlackettLuce
from penchant_sdk.records import PutItemsResult
from penchant_sdk.signal_names import AdSignal
from penchant_sdk.types import EventResult


class AsyncAdClient:
    """Selects ads for slots and reports their outcomes.

    Safe to share between tasks of one event loop. The server must know the ad signals: its setting
    `signals` contains `ads`, as in `default,ads`. Every verb raises the errors of `AsyncPenchant`.
    """

    def __init__(
        self,
        penchant: AsyncPenchant,
        campaigns: Iterable[Campaign] = (),
        *,
        calibration: Calibration = UNCALIBRATED,
        lapse_s: int = _operations.LAPSE_S,
        seed: int | None = None,
        unsafe_from: float = THRESHOLD,
    ) -> None:
        """Makes a client over a connection, which the caller keeps and closes.

        Args:
            penchant: the connection; its timeout and retries apply.
            campaigns: campaigns that the server's catalog already holds; see also
                `load_campaigns`.
            calibration: click probabilities by score and position, from `Calibration.load`.
            lapse_s: seconds within which a decision must be shown, 1 to 3,600.
            seed: makes exploration repeatable. None: random.
            unsafe_from: cosine of page and topic, -1 to 1, from which a campaign that avoids the
                topic is not shown; measured for the default encoder.
        """
        self._penchant = penchant
        self._knowledge = Knowledge(campaigns, calibration, seed, real("unsafe_from", unsafe_from))
        self._lapse_s = lapse_s

    @property
    def campaigns(self) -> Mapping[str, Campaign]:
        """Campaigns that may be selected, by id."""
        return self._knowledge.campaigns

    @property
    def calibration(self) -> Calibration:
        """Click probabilities by score and position; may be replaced at any time."""
        return self._knowledge.calibration

    @calibration.setter
    def calibration(self, calibration: Calibration) -> None:
        self._knowledge.calibration = calibration

    async def put_campaigns(
        self, campaigns: Iterable[Campaign], *, timeout_s: float | None = None
    ) -> PutItemsResult:
        """Puts campaigns into the server's catalog; when it returns, they can be selected.

        Spend and impressions are counted under the campaign's id, so a changed budget continues
        from the current spend. To stop a campaign, let its flight end.

        Args:
            campaigns: 1 or more.
            timeout_s: seconds for each call of 256 campaigns. Default: 30, or the connection's
                timeout if that is longer.

        Raises:
            InvalidRequest: a campaign's rules are too long for the catalog; none was put.
        """
        listed = list(campaigns)
        result = await self._penchant.put_items(
            [item for one in listed for item in to_items(one)], timeout_s=timeout_s
        )
        self._knowledge.add_campaigns(listed)
        return result

    async def load_campaigns(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> tuple[Campaign, ...]:
        """Reads campaigns from the server's catalog; when it returns, they can be selected.

        Args:
            ids: 1 or more.
            timeout_s: seconds for each call of 256 ids. Default: the connection's timeout.

        Raises:
            InvalidRequest: an id is unknown, or its item is not a campaign.
        """
        return self._knowledge.add_items(await self._penchant.get_items(ids, timeout_s=timeout_s))

    async def select(
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
        """Decides which ads to show, and reserves an impression of each.

        A campaign is eligible if its flight, day-parts, targeting and categories allow the slot.
        The most valuable eligible campaigns are reserved, where value = bid * P(click | score,
        position). Frequency caps are exact, whatever other clients do at the same time, and a
        campaign never spends ahead of its budget's even pace. An impression costs bid * P(click),
        averaged over the n positions.

        Args:
            user: the user's id, 1 to 256 bytes.
            slot: the place on the page.
            context: page, time and device. None: unknown. A page text is compared with the topics
                that campaigns avoid, in one more call; without one, they are shown.
            n: number of ads, for the positions from `slot.position` on, 1 to 100. Fewer are
                returned if no more are eligible within their caps and budgets.
            explore: draws the order by Plackett-Luce over log(value): at temperature 1 in
                proportion to the value, below 1 closer to the best. Every decision's propensity is
                exact; see `penchant_sdk.ads.choosing`. None, or once the user's budget of explored
                impressions is used up: the best ads, with propensity 1.
            explain: gives every decision a reason that names past events. This takes one or two
                more calls; if one fails, the decisions come without it.
            timeout_s: seconds for each of the two to five calls. Default: the connection's timeout.

        Returns:
            Decisions in the order of their positions: the most valuable first, unless explored.
        """
        selection = _operations.Selection(
            user, slot, context or AdContext(), n, explore, explain, self._lapse_s
        )
        operation = _operations.select(selection, self._knowledge)
        return await self._penchant.run(operation, timeout_s=timeout_s)

    async def impression(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Reports that an ad was shown, which confirms its reservation; repeated, it counts once.

        If no click follows within half an hour, the impression counts slightly against the ad.

        Args:
            decision: from `select`.
            at: time of the impression, a datetime with a time zone or epoch seconds. None: now.
            timeout_s: seconds for the call. Default: the connection's timeout.
        """
        return await self._feed_back(decision, AdSignal.IMPRESSION, at, timeout_s)

    async def click(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Reports a click on a shown ad; late, early or repeated, it counts once.

        Args:
            decision: from `select`.
            at: time of the click. None: now.
            timeout_s: seconds for the call. Default: the connection's timeout.
        """
        return await self._feed_back(decision, AdSignal.CLICK, at, timeout_s)

    async def conversion(
        self,
        decision: Decision,
        *,
        value: Money,
        id: str = "",
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Reports a sale that a shown ad led to.

        Args:
            decision: from `select`.
            value: value of the sale.
            id: the order's id; each id counts once. Empty: the decision has one sale at most.
            at: time of the sale. None: now.
            timeout_s: seconds for the call. Default: the connection's timeout.
        """
        operation = _operations.feed_back(
            decision, AdSignal.CONVERSION, at, value=float(value.amount), own_id=id
        )
        return await self._penchant.run(operation, timeout_s=timeout_s)

    async def hide(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """Reports that the user hid an ad; its campaign is never selected for that user again.

        Args:
            decision: from `select`.
            at: time of the hiding. None: now.
            timeout_s: seconds for the call. Default: the connection's timeout.
        """
        operation = _operations.hide(decision, at, self._knowledge.campaigns)
        return await self._penchant.run(operation, timeout_s=timeout_s)

    async def _feed_back(
        self,
        decision: Decision,
        signal: AdSignal,
        at: datetime | float | None,
        timeout_s: float | None,
    ) -> EventResult:
        operation = _operations.feed_back(decision, signal, at)
        return await self._penchant.run(operation, timeout_s=timeout_s)
