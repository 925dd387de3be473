"""What an impression of a campaign may cost, and the day of it: bounds what one caller can spend.

Campaigns travel as attributes of their items (`proto/penchant/v1/ads.proto`, as JSON). An
impression costs at most the bid, the price of a click, and a budget never allows more than the
campaign's own.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penchant.domain.errors import StateCorrupt
from penchant.domain.reservations import ReserveOption
from penchant.store.base import Snapshot
from penchant.store.codec import decode_item
from penchant.store.keys import Kind, encode

log = logging.getLogger("penchant")

ATTRIBUTE = "ads.campaign"
"""Name of the first attribute of a campaign; the next ones are `ads.campaign.2` and so on."""

CREATIVE_OF = "ads.creative_of"
"""Name of the attribute of a creative's item that holds the campaign's id."""


@dataclass(frozen=True, slots=True)
class CampaignCosts:
    """The money of a campaign, in millionths of the currency."""

    bid_micros: int
    budget_micros: int
    time_zone: str = "UTC"
    """Name of the campaign's clock."""


def bounded(snapshot: Snapshot, option: ReserveOption) -> ReserveOption:
    """The option as its campaign permits it; one above the bid is allowed no money at all.

    Nor is one whose item, or campaign, can't be read. Options without a budget, and items that are
    no campaigns, stay as they are. Cost: one read, for an option with a budget.
    """
    budget = option.budget
    try:
        costs = None if budget is None else _read_costs(snapshot, option.item)
    except StateCorrupt as error:
        log.error("%s of %r, which may cost nothing until it is put again", error, option.item)
        costs = CampaignCosts(-1, -1)
    if budget is None or costs is None:
        return option
    allowed = min(budget.allowed_micros, costs.budget_micros)
    allowed = allowed if budget.cost_micros <= costs.bid_micros else -1
    if allowed == budget.allowed_micros:
        return option
    budget = dataclasses.replace(budget, allowed_micros=allowed)
    return dataclasses.replace(option, budget=budget)


def _read_costs(snapshot: Snapshot, item: str) -> CampaignCosts | None:
    """The money of an item's campaign, which the item of a creative names."""
    value = snapshot.get(encode(Kind.ITEM, item))
    campaign = None if value is None else _creative_of(value)
    if campaign is not None:
        value = snapshot.get(encode(Kind.ITEM, campaign))
    return None if value is None else costs_of(value)


@functools.lru_cache(maxsize=16_384)
def _creative_of(value: bytes) -> str | None:
    return decode_item(value).item.attributes.get(CREATIVE_OF)


def day_of(snapshot: Snapshot, item: str, at_us: int) -> str:
    """The day of a moment by a campaign's clock, as in `2026-03-29`; by UTC for other items.

    And for those that can't be read.
    """
    try:
        costs = _read_costs(snapshot, item)
    except StateCorrupt:
        costs = None
    return _day(at_us // _QUARTER_US, "UTC" if costs is None else costs.time_zone)


_QUARTER_US = 900_000_000
"""All offsets from UTC that are in use, and all changes of them, are whole quarters of an hour."""


@functools.lru_cache(maxsize=16_384)
def _day(quarter: int, time_zone: str) -> str:
    moment = datetime.fromtimestamp(quarter * (_QUARTER_US // 1_000_000), UTC)
    try:
        return moment.astimezone(ZoneInfo(time_zone)).date().isoformat()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return moment.date().isoformat()  # This machine has no such clock.


@functools.lru_cache(maxsize=16_384)
def costs_of(value: bytes) -> CampaignCosts | None:
    """The money of an encoded item's campaign; None if it is no campaign, or can't be read."""
    attributes = decode_item(value).item.attributes
    if ATTRIBUTE not in attributes:
        return None
    pieces, number = [attributes[ATTRIBUTE]], 2
    while (piece := attributes.get(f"{ATTRIBUTE}.{number}")) is not None:
        pieces.append(piece)
        number += 1
    try:
        fields = json.loads("".join(pieces))
        clock = str(fields.get("timeZone") or "UTC")
        return CampaignCosts(int(fields["bidMicros"]), int(fields["budgetMicros"]), clock)
    except (ValueError, TypeError, KeyError):
        return None
