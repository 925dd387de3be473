"""Ads that were clicked, and what was sold after each click so far, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.types import Event
from penchant.logs.impressions import AnsweredImpression

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class ClickedAds:
    """n clicks, each the first one on its impression."""

    items: tuple[str, ...]
    """Ids of the ads, in order."""
    item: Int64
    """Place of each click's ad in `items`, shape (n,)."""
    converted: Float64
    """1 if a sale has followed, else 0, shape (n,)."""
    elapsed_s: Float64
    """Seconds to the first sale, or to the end of the log if none has followed, shape (n,)."""
    value: Float64
    """Value of all sales so far, in units of the currency, shape (n,)."""


def clicked_ads(
    impressions: Iterable[AnsweredImpression],
    *,
    click: str = "click",
    conversion: str = "conversion",
    until_us: int | None = None,
) -> ClickedAds:
    """Takes the clicks on the impressions of a log, and the sales that followed them.

    Args:
        impressions: impressions in any order.
        click: signal that counts as a click.
        conversion: signal that counts as a sale.
        until_us: end of the log, in microseconds since 1970; None: the latest event that is given.

    >>> shown = Event("a", "ann", "tent", "impression", None, 0, "r1")
    >>> clicked = Event("b", "ann", "tent", "click", None, 5_000_000, "r1")
    >>> sold = Event("c", "ann", "tent", "conversion", 9.5, 65_000_000, "r1")
    >>> found = clicked_ads([AnsweredImpression(shown, (clicked, sold))])
    >>> found.elapsed_s.tolist(), found.value.tolist()
    ([60.0], [9.5])
    """
    rows: list[tuple[str, int, list[Event]]] = []
    latest_us = 0
    for one in impressions:
        latest_us = max(latest_us, one.event.occurred_at_us)
        latest_us = max([latest_us, *(answer.occurred_at_us for answer in one.answers)])
        clicks = [answer.occurred_at_us for answer in one.answers if answer.signal == click]
        if clicks:
            sales = [answer for answer in one.answers if answer.signal == conversion]
            rows.append((one.event.item, min(clicks), sales))
    end_us = latest_us if until_us is None else until_us
    items = tuple(sorted({item for item, _, _ in rows}))
    number = {item: place for place, item in enumerate(items)}
    until = [min((sale.occurred_at_us for sale in sales), default=end_us) for _, _, sales in rows]
    waits = [end - clicked for end, (_, clicked, _) in zip(until, rows, strict=True)]
    return ClickedAds(
        items,
        np.array([number[item] for item, _, _ in rows], np.int64),
        np.array([float(bool(sales)) for _, _, sales in rows], np.float64),
        np.maximum(np.array(waits, np.float64) / _SECOND_US, 0.0),
        np.array([sum(sale.value or 0.0 for sale in sales) for _, _, sales in rows], np.float64),
    )
