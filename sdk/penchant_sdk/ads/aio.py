"""The ad client for asyncio: `AdClient`'s twin, with the same arguments, laws and errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from penchant_sdk._calls import Plan
from penchant_sdk.ads import _plans
from penchant_sdk.ads._knowledge import Knowledge
from penchant_sdk.ads.calibration import UNCALIBRATED, Calibration
from penchant_sdk.ads.campaign import Campaign, to_item
from penchant_sdk.ads.client import LAPSE_S
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.types import AdContext, Decision, Slot
from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.errors import PenchantError
from penchant_sdk.exploration import PlackettLuce
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import EventResult

T = TypeVar("T")


class AsyncAdClient:
    """Selects ads for slots, and tells what became of them; see `AdClient`."""

    def __init__(
        self,
        penchant: AsyncPenchant,
        campaigns: Iterable[Campaign] = (),
        *,
        calibration: Calibration = UNCALIBRATED,
        lapse_s: int = LAPSE_S,
        seed: int | None = None,
    ) -> None:
        """See `AdClient`."""
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

    async def put_campaigns(
        self, campaigns: Iterable[Campaign], *, timeout_s: float | None = None
    ) -> PutItemsResult:
        """See `AdClient.put_campaigns`."""
        listed = list(campaigns)
        result = await self._penchant.put_items(map(to_item, listed), timeout_s=timeout_s)
        self._knowledge.add_campaigns(listed)
        return result

    async def load_campaigns(
        self, ids: Iterable[str], *, timeout_s: float | None = None
    ) -> tuple[Campaign, ...]:
        """See `AdClient.load_campaigns`."""
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
        """See `AdClient.select`."""
        selection = _plans.Selection(
            user, slot, context or AdContext(), n, explore, explain, self._lapse_s
        )
        plan = _plans.select(selection, self._knowledge)
        decisions = () if plan is None else await self._run(plan, timeout_s)
        if not (explain and decisions):
            return decisions
        try:
            why = _plans.explained(decisions, selection, self._knowledge)
            return await self._run(why, timeout_s)
        except PenchantError:  # They are reserved: better without their reasons than not at all.
            return decisions

    async def impression(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """See `AdClient.impression`."""
        return await self._tell(decision, "impression", at, timeout_s)

    async def click(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """See `AdClient.click`."""
        return await self._tell(decision, "click", at, timeout_s)

    async def conversion(
        self,
        decision: Decision,
        *,
        value: Money,
        id: str = "",
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """See `AdClient.conversion`."""
        plan = _plans.tell(decision, "conversion", at, value=float(value.amount), own_id=id)
        return await self._run(plan, timeout_s)

    async def hide(
        self,
        decision: Decision,
        *,
        at: datetime | float | None = None,
        timeout_s: float | None = None,
    ) -> EventResult:
        """See `AdClient.hide`."""
        return await self._tell(decision, "hide", at, timeout_s)

    async def _tell(
        self,
        decision: Decision,
        signal: str,
        at: datetime | float | None,
        timeout_s: float | None,
    ) -> EventResult:
        return await self._run(_plans.tell(decision, signal, at), timeout_s)

    async def _run(self, plan: Plan[T], timeout_s: float | None) -> T:
        # The connection's own way to the server: with its retries and its deadline.
        return await self._penchant._driver.run(plan, self._penchant._limit(timeout_s))
