"""Chart of the ads demo: spending over the day, and stated against observed click rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from demos.ads.accounts import Account
from demos.ads.ads_report import CALIBRATED, GUESSED
from penchant.calibration.reliability import Reliability
from penchant.report import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(accounts: Sequence[Account], stated: Mapping[str, Reliability], path: Path) -> None:
    """Draws the pace of spending, and the reliability of click probabilities.

    Args:
        accounts: accounts of all campaigns.
        stated: reliability of the guessed and of the calibrated click probabilities.
        path: PNG file to write.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    figure = chart.new_figure((10.0, 4.6), "A day of film ads: pace and click probabilities")
    left, right = figure.subplots(1, 2)
    _draw_pace(left, accounts)
    _draw_reliability(right, stated)
    chart.save(figure, path)


def _draw_pace(axes: Axes, accounts: Sequence[Account]) -> None:
    hours = range(25)
    for number, one in enumerate(accounts):
        label = "spent" if number == 0 else None
        spent = [0.0, *one.by_hour.tolist()]
        axes.plot(hours, spent, color=chart.GREEN, linewidth=1.2, alpha=0.6, label=label)
    evens = {tuple(one.even.tolist()) for one in accounts}
    for number, even in enumerate(sorted(evens)):
        label = "even pace" if number == 0 else None
        axes.plot(hours, [0.0, *even], color=chart.GREY, linestyle="--", linewidth=1.5, label=label)
    axes.set_xticks(range(0, 25, 4), [f"{hour}:00" for hour in range(0, 25, 4)])
    axes.set_xlabel("time of day")
    axes.set_ylim(bottom=0)
    chart.plain(axes, "share of the budget spent", f"Each of {len(accounts)} campaigns")
    chart.legend(axes, "upper left")


def _draw_reliability(axes: Axes, stated: Mapping[str, Reliability]) -> None:
    for name, colour in ((GUESSED, chart.RED), (CALIBRATED, chart.GREEN)):
        one = stated[name]
        clicked = [bin.clicked for bin in one.bins]
        low = [max(0.0, bin.clicked - bin.low) for bin in one.bins]
        high = [max(0.0, bin.high - bin.clicked) for bin in one.bins]
        axes.errorbar(
            [bin.stated for bin in one.bins], clicked, (low, high),
            fmt="o", color=colour, markersize=4, elinewidth=1,
            label=f"{name}, calibration error {one.ece:.3f}",
        )  # fmt: skip
    most = max(bin.high for one in stated.values() for bin in one.bins)
    axes.plot([0, most], [0, most], color=chart.GREY, linestyle="--", linewidth=1.2, zorder=0)
    axes.set_xlabel("stated click probability")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    chart.plain(axes, "share clicked (bars: 95 %)", "Impressions after 8:00")
    chart.legend(axes, "lower right")
