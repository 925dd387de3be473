"""Calibrating click probabilities as one job: fit the older part, judge on the newer, then fit all.

P(click | score, place k) = e_k * sigmoid(a * score + b)   (`penchant.calibration.click_model`)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.calibration.click_model import ClickModel, fit_click_model
from penchant.calibration.clicked_ads import clicked_ads
from penchant.calibration.delayed_feedback import LEAST_SALES, SaleModel, fit_sales
from penchant.calibration.reliability import Reliability, reliability
from penchant.calibration.shown_ads import (
    ShownAdColumns,
    ShownAds,
    from_impressions,
    from_table,
)
from penchant.domain.errors import ConfigError
from penchant.domain.retired_signals import RetiredSignals
from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.logs.impressions import impressions_in
from penchant.logs.open_table import open_table
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT
from penchant.system.strict_json import read_json

FORMAT = "penchant.ads.calibration.v1"
"""Format of the file that `penchant_sdk.ads.Calibration` reads."""
FEW_CLICKS = 200
"""Fewer clicks give wide intervals, and a warning."""
HELD_OUT = 0.2
"""Share of the impressions, the newest, that is judged on by default."""


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """The impressions to calibrate on: those of a server's store, or of a file."""

    _: KW_ONLY
    store: Annotated[str, Parameter(show_default=False)] = ""
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""
    click_signal: str = "click"
    """Signal of the store's events that counts as a click."""
    conversion_signal: str = "conversion"
    """Signal of the store's events that counts as a sale."""
    impressions: Path | None = None
    """File of impressions, instead of a store."""
    columns: Annotated[ShownAdColumns, FLAT] = ShownAdColumns()
    current: Path | None = None
    """The calibration in use, to compare with."""
    held_out: float = HELD_OUT
    """Share of the impressions, the newest, to judge on; above 0, below 1."""
    shipped_log: Annotated[ShippedSource, FLAT] = ShippedSource()


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """A fitted click model, and how well its probabilities hold on later impressions."""

    model: ClickModel
    """The model fitted to all impressions, for use."""
    held_out: Mapping[str, Reliability]
    """Reliability on the newer part, by model fitted to the older part: `score` (the score's
    sigmoid, uncalibrated), `without places` (Platt), `with places`, and first `in use`, the current
    calibration, if there is one."""
    impressions: int
    clicks: int
    held_out_impressions: int
    left_out: Mapping[str, int]
    """Impressions or rows that could not be used, by reason."""
    retired: RetiredSignals = field(default_factory=RetiredSignals)
    """Events that today's signal table has no reward for, which answer nothing."""
    sales: SaleModel | None = None
    """Chances and values of sales after clicks; None: too few sales to tell."""

    @property
    def warnings(self) -> list[str]:
        """Limits of the log, a clause each."""
        found = []
        if self.clicks < FEW_CLICKS:
            found.append(
                f"{self.clicks} clicks are few: the intervals of examination and slope are wide"
            )
        if self.model.slope_interval[0] <= 0:
            found.append(
                "the slope's interval holds 0: on this log the score does not tell clicks apart"
            )
        if self.left_out:
            most = max(self.left_out, key=self.left_out.__getitem__)
            count = sum(self.left_out.values())
            found.append(f"{count} impressions or rows were left out, most because of {most!r}")
        for kind, remedy, count in self.retired.cases():
            found.append(f"left out, {kind}: {count:,} ({remedy})")
        return found


def calibrate(request: CalibrationRequest) -> CalibrationResult:
    """Fits a click model to the impressions of a store or a file, and judges it.

    Raises:
        ConfigError: the request names both a store and a file, or neither; one of them can't be
            read; no impression can be used; the older part holds too few clicks; or the share is
            out of range.
        LaunchError: the store's address or a setting can't be read.
    """
    if bool(request.store) == (request.impressions is not None):
        raise ConfigError("impressions: name one of --store and --impressions")
    if request.shipped_log and not request.store:
        raise ConfigError("--shipped: got it without --store; name the store that ships there")
    in_use = None if request.current is None else read_calibration(request.current)
    retired, sales = RetiredSignals(), None
    if request.impressions is not None:
        with open_table(request.impressions) as table:
            shown = from_table(table, request.columns)
    else:
        with open_server_store(request.store, request.settings) as server:
            signals, shipped = server.config.signals, request.shipped_log
            impressions = list(impressions_in(server.store, shipped, signals, retired))
        shown = from_impressions(impressions, request.click_signal)
        clicked = clicked_ads(
            impressions, click=request.click_signal, conversion=request.conversion_signal
        )
        sales = fit_sales(clicked) if clicked.converted.sum() >= LEAST_SALES else None
    result = calibrate_shown(shown, held_out=request.held_out, in_use=in_use)
    return dataclasses.replace(result, retired=retired, sales=sales)


def calibrate_shown(
    shown: ShownAds, *, held_out: float = HELD_OUT, in_use: ClickModel | None = None
) -> CalibrationResult:
    """Fits a click model and judges it, as a pure function of arrays.

    Args:
        shown: impressions in time order.
        held_out: share of the impressions, the newest, to judge on; above 0, below 1.
        in_use: model to compare with.

    Raises:
        ConfigError: the older part holds too few clicks, or the share is out of range.
    """
    if not 0 < held_out < 1:
        raise ConfigError(f"--held-out: got {held_out}, expected a share between 0 and 1")
    count = len(shown.score)
    border = min(count - 1, max(1, round(count * (1 - held_out))))
    older, newer = shown.part(0, border), shown.part(border, count)
    models = {
        **({"in use": in_use} if in_use else {}),
        "score": ClickModel.given(1.0, 0.0, [1.0]),
        "without places": fit_click_model(older, by_position=False),
        "with places": fit_click_model(older),
    }
    return CalibrationResult(
        model=fit_click_model(shown),
        held_out={
            name: reliability(
                model.probability(newer.score, newer.position), newer.position, newer.clicked
            )
            for name, model in models.items()
        },
        impressions=count,
        clicks=int(shown.clicked.sum()),
        held_out_impressions=count - border,
        left_out=shown.left_out,
    )


def write_calibration(path: Path, found: CalibrationResult) -> None:
    """Writes the file that `penchant_sdk.ads.Calibration` reads, with the evidence beside it."""
    write_whole(path, json.dumps(_fields(found), indent=2) + "\n")


def read_calibration(path: Path) -> ClickModel:
    """Reads the model of a file that `write_calibration` wrote.

    Raises:
        ConfigError: the file can't be read, or is something else.
    """
    try:
        fields = read_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"--current: {path} can't be read: {error}") from error
    try:
        if fields["format"] != FORMAT:
            raise ValueError(f"format {fields['format']!r}")
        examination = [float(one) for one in fields["examination"]]
        return ClickModel.given(float(fields["slope"]), float(fields["intercept"]), examination)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"--current: got {error!r}, expected a file of `penchant calibrate`"
        ) from None


def _fields(found: CalibrationResult) -> dict[str, Any]:
    model = found.model
    return {
        "format": FORMAT,
        "slope": model.slope,
        "intercept": model.intercept,
        "examination": model.examination.tolist(),
        "impressions": found.impressions,
        "clicks": found.clicks,
        "intervals_95": {
            "slope": model.slope_interval,
            "intercept": model.intercept_interval,
            "examination": model.examination_intervals,
        },
        "held_out": {
            "impressions": found.held_out_impressions,
            "expected_calibration_error": {k: v.ece for k, v in found.held_out.items()},
            "by_chance": {k: v.ece_by_chance for k, v in found.held_out.items()},
            "log_loss": {k: v.log_loss for k, v in found.held_out.items()},
        },
        "warnings": found.warnings,
        "conversions": None if found.sales is None else dataclasses.asdict(found.sales),
    }
