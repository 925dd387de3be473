"""The demo's picture: money over the day, and stated chances against clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from demos.ads.accounts import Account
from demos.ads.report import CALIBRATED, GUESSED
from penchant.calibration.plot import GREEN, GREY, INK, RED, plain
from penchant.calibration.reliability import Reliability
from penchant.domain.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(accounts: Sequence[Account], stated: Mapping[str, Reliability], path: Path) -> None:
    """Writes the picture as a PNG.

    Raises:
        ConfigError: matplotlib is missing.
    """
    try:  # Only here: it takes a second to load.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            "demo-ads: matplotlib, which draws the picture, is missing; `pip install matplotlib`"
        ) from error
    figure = Figure(figsize=(10.0, 4.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _pace(left, accounts)
    _reliability(right, stated)
    figure.savefig(path)


def _pace(axes: Axes, accounts: Sequence[Account]) -> None:
    hours = range(25)
    for number, one in enumerate(accounts):
        label = "spent" if number == 0 else None
        spent = [0.0, *one.by_hour.tolist()]
        axes.plot(hours, spent, color=GREEN, linewidth=1.2, alpha=0.6, label=label)
    evens = {tuple(one.even.tolist()) for one in accounts}
    for number, even in enumerate(sorted(evens)):
        label = "even pace" if number == 0 else None
        axes.plot(hours, [0.0, *even], color=GREY, linestyle="--", linewidth=1.5, label=label)
    axes.set_title(
        f"Share of the budget spent by each of {len(accounts)} campaigns",
        loc="left", fontsize=10, color=INK,
    )  # fmt: skip
    axes.set_xticks(range(0, 25, 4), [f"{hour}:00" for hour in range(0, 25, 4)])
    axes.legend(frameon=False, fontsize=9)
    plain(axes)


def _reliability(axes: Axes, stated: Mapping[str, Reliability]) -> None:
    for name, colour in ((GUESSED, RED), (CALIBRATED, GREEN)):
        one = stated[name]
        clicked = [bin.clicked for bin in one.bins]
        low = [max(0.0, bin.clicked - bin.low) for bin in one.bins]
        high = [max(0.0, bin.high - bin.clicked) for bin in one.bins]
        axes.errorbar(
            [bin.stated for bin in one.bins], clicked, (low, high),
            fmt="o", color=colour, markersize=4, elinewidth=1, label=f"{name}: ECE {one.ece:.3f}",
        )  # fmt: skip
    most = max(bin.high for one in stated.values() for bin in one.bins)
    axes.plot([0, most], [0, most], color=GREY, linestyle="--", linewidth=1.2, zorder=0)
    axes.set_title("Do click probabilities hold? (after 8:00)", loc="left", fontsize=10, color=INK)
    axes.set_xlabel("stated click probability")
    axes.set_ylabel("share clicked, 95 % intervals")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    plain(axes)
