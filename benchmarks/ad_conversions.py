"""Sales that come days after their clicks: `python -m benchmarks.ad_conversions`.

Simulated shops with known chances, delays and values of sales. Measured are the chances that a
week's log gives, counted and by the model of delays, and what a sale costs a campaign that bids for
a target cost and is calibrated every day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.calibration.clicked_ads import ClickedAds
from penchant.calibration.delayed_feedback import fit_sales
from penchant_sdk.ads import Conversions, Money, TargetCpa
from penchant_sdk.ads.goal import bid_for

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class SimulatedShop:
    """The truth about a shop's sales."""

    id: str
    chance: float
    """Probability that a click leads to a sale."""
    mean_delay_s: float
    value: float


SHOPS = (
    SimulatedShop("books", 0.10, 1 * DAY_S, 20.0),
    SimulatedShop("shoes", 0.05, 3 * DAY_S, 80.0),
    SimulatedShop("trips", 0.20, 5 * DAY_S, 400.0),
)

TARGET = Money.of(10)
DAYS, JUDGED_DAYS, CLICKS_A_DAY = 21, 7, 1500


def clicks_of(
    shops: tuple[SimulatedShop, ...], count: int, length_s: float, random: np.random.Generator
) -> ClickedAds:
    """A log of clicks evenly over a time, as far as its end knows of their sales."""
    return _seen_at(length_s, *_drawn(shops, count, 0.0, length_s, random), shops)


def _drawn(
    shops: tuple[SimulatedShop, ...],
    count: int,
    start_s: float,
    length_s: float,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Shop, time of the click, and time of the sale (never: infinity) of each click."""
    shop = random.integers(0, len(shops), count)
    at_s = start_s + np.sort(random.uniform(0, length_s, count))
    sells = random.random(count) < np.array([one.chance for one in shops])[shop]
    delay_s = random.exponential(np.array([one.mean_delay_s for one in shops])[shop])
    return shop, at_s, np.where(sells, at_s + delay_s, np.inf)


def _seen_at(
    now_s: float,
    shop: NDArray[np.int64],
    at_s: NDArray[np.float64],
    sold_s: NDArray[np.float64],
    shops: tuple[SimulatedShop, ...],
) -> ClickedAds:
    converted = sold_s <= now_s
    value = np.where(converted, np.array([one.value for one in shops])[shop], 0.0)
    elapsed_s = np.where(converted, sold_s, now_s) - at_s
    ids = tuple(one.id for one in shops)
    return ClickedAds(ids, shop.astype(np.int64), converted.astype(float), elapsed_s, value)


def days_of_bidding(*, seed: int, by_delays: bool) -> dict[str, float]:
    """What a sale costs each shop in the end, as a multiple of the target.

    Three weeks; the last week's clicks are judged once all of their sales are in.

    Args:
        seed: of the simulation.
        by_delays: chances are fitted with delays; else they are shares of clicks with a sale.
    """
    random = np.random.default_rng(seed)
    columns = [_drawn(SHOPS, CLICKS_A_DAY, day * DAY_S, DAY_S, random) for day in range(DAYS)]
    paid, sales = np.zeros(len(SHOPS)), np.zeros(len(SHOPS))
    for day in range(DAYS - JUDGED_DAYS, DAYS):
        # A week's log, as a campaign whose product changes would use.
        log = [np.concatenate(part) for part in zip(*columns[day - 7 : day], strict=True)]
        conversions = _estimated(_seen_at(day * DAY_S, log[0], log[1], log[2], SHOPS), by_delays)
        shop, _, sold_s = columns[day]
        for place, one in enumerate(SHOPS):
            bid = bid_for(TargetCpa(TARGET), Money.of(100), one.id, conversions)
            paid[place] += bid.micros * (shop == place).sum()
            sales[place] += np.isfinite(sold_s[shop == place]).sum()
    costs = paid / sales / TARGET.micros
    return {one.id: float(cost) for one, cost in zip(SHOPS, costs, strict=True)}


def _estimated(clicks: ClickedAds, by_delays: bool) -> Conversions:
    if by_delays:
        found = fit_sales(clicks)
        return Conversions(found.chance, found.value, found.any_chance, found.any_value)
    shares = {
        id_: float(clicks.converted[clicks.item == place].mean())
        for place, id_ in enumerate(clicks.items)
    }
    return Conversions(shares, {}, float(clicks.converted.mean()), 0.0)


def main() -> None:
    """Prints both tables in Markdown."""
    week = clicks_of(SHOPS, 12_000, 7 * DAY_S, np.random.default_rng(1))
    found = fit_sales(week)
    print("| shop | truth | sales so far | by the delays' model | mean delay, truth | fitted |")
    print("|---|---|---|---|---|---|")
    for place, shop in enumerate(SHOPS):
        seen = week.converted[week.item == place].mean()
        delays = [s / DAY_S for s in (shop.mean_delay_s, found.mean_delay_s[shop.id])]
        print(
            f"| {shop.id} | {shop.chance:.3f} | {seen:.3f} | {found.chance[shop.id]:.3f} | "
            f"{delays[0]:.1f} days | {delays[1]:.1f} days |"
        )
    print("\n| cost of a sale, of its target | sales so far | by the delays' model |")
    print("|---|---|---|")
    for shop in SHOPS:
        ratios = [
            [days_of_bidding(seed=seed, by_delays=way)[shop.id] for seed in range(10)]
            for way in (False, True)
        ]
        cells = (f"{np.mean(one):.2f} ({min(one):.2f}–{max(one):.2f})" for one in ratios)
        print(f"| {shop.id} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
