"""What an impression of a campaign may cost: bounds what one caller can hold or spend of a budget.

Campaigns travel as attributes of their items (`proto/penchant/v1/ads.proto`, as JSON). An
impression costs at most the bid, the price of a click, and a budget never allows more than the
campaign's own.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from dataclasses import dataclass

from penchant.domain.reservations import Budget, ReserveOption
from penchant.store.base import Snapshot
from penchant.store.codec import decode_item
from penchant.store.keys import Kind, encode

ATTRIBUTE = "ads.campaign"
"""Name of the first attribute of a campaign; the next ones are `ads.campaign.2` and so on."""


@dataclass(frozen=True, slots=True)
class CampaignCosts:
    """The money of a campaign, in millionths of the currency."""

    bid_micros: int
    budget_micros: int


def bounded(snapshot: Snapshot, option: ReserveOption) -> ReserveOption:
    """The option as its campaign permits it; one above the bid is allowed no money at all.

    Options without a budget, and items that are no campaigns, stay as they are. Cost: one read, for
    an option with a budget.
    """
    budget = option.budget
    value = None if budget is None else snapshot.get(encode(Kind.ITEM, option.item))
    costs = None if value is None else costs_of(value)
    if budget is None or costs is None:
        return option
    allowed = min(budget.allowed_micros, costs.budget_micros)
    allowed = allowed if budget.cost_micros <= costs.bid_micros else -1
    if allowed == budget.allowed_micros:
        return option
    return dataclasses.replace(option, budget=Budget(budget.key, budget.cost_micros, allowed))


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
        return CampaignCosts(int(fields["bidMicros"]), int(fields["budgetMicros"]))
    except (ValueError, TypeError, KeyError):
        return None
