"""`penchant calibrate`: click probabilities that hold, from the log's impressions and clicks."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from penchant.cli.stores import StoreSettings, opened
from penchant.domain.errors import ConfigError
from penchant.logs.open_table import open_table
from penchant.report.page import check_writable

if TYPE_CHECKING:
    from penchant.calibration.calibrate import Calibrated
    from penchant.calibration.shown_ads import Shown, ShownAdColumns

_COLUMNS = "Columns of the file"


def calibrate(
    store: Annotated[str, typer.Option(help="The server's store: lmdb:DIRECTORY.")] = "",
    impressions: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A file of impressions, instead."),
    ] = None,
    output: Annotated[Path, typer.Option(help="For `penchant_sdk.ads.Calibration.load`.")] = Path(
        "calibration.json"
    ),
    plot: Annotated[Path | None, typer.Option(help="Draw a reliability plot here, as PNG.")] = None,
    current: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="The calibration in use, judged beside."),
    ] = None,
    held_out: Annotated[
        float, typer.Option(help="The share of the impressions, the newest, to judge on.")
    ] = 0.2,
    click_signal: Annotated[str, typer.Option(help="The signal that answers.")] = "click",
    score_column: Annotated[str, typer.Option(rich_help_panel=_COLUMNS)] = "score",
    position_column: Annotated[str, typer.Option(rich_help_panel=_COLUMNS)] = "position",
    click_column: Annotated[str, typer.Option(rich_help_panel=_COLUMNS)] = "reward",
    time_column: Annotated[
        str, typer.Option(rich_help_panel=_COLUMNS, show_default="rows are in time order")
    ] = "",
    settings: StoreSettings = None,
) -> None:
    """Fits the chance of a click to score and place, and says whether it holds on later ones.

    The position-based model: a place's examination times a sigmoid of the score. It is fitted to
    the older impressions, judged on the newer, and then fitted to all for the output.
    """
    from penchant.calibration.calibrate import as_json_ready, read_fit
    from penchant.calibration.calibrate import calibrate as run
    from penchant.calibration.shown_ads import ShownAdColumns

    if bool(store) == (impressions is not None):
        raise ConfigError("impressions: name one of --store and --impressions")
    for path, name in ((output, "--output"), (plot, "--plot")):
        if path is not None:
            check_writable(path, name)
    in_use = read_fit(_json(current)) if current else None
    if impressions is not None:
        columns = ShownAdColumns(score_column, position_column, click_column, time_column)
        shown = _of_file(impressions, columns)
    else:
        shown = _of_store(store, settings, click_signal)
    found = run(shown, held_out=held_out, in_use=in_use)
    output.write_text(json.dumps(as_json_ready(found), indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        from penchant.calibration.plot import draw

        draw(found, plot)
    console = Console(highlight=False)
    _report(console, found)
    pictures = f", {plot}" if plot else ""
    text = f"Written: {output}{pictures}. Next: AdClient(..., calibration=Calibration.load(...))."
    console.print(Text(text), soft_wrap=True)


def _json(path: Path) -> dict[str, object]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--current: {path} can't be read: {error}") from error
    return fields if isinstance(fields, dict) else {}


def _of_file(path: Path, columns: ShownAdColumns) -> Shown:
    from penchant.calibration.shown_ads import from_table

    with closing(open_table(path)) as table:
        return from_table(table, columns)


def _of_store(store: str, settings: list[str] | None, click_signal: str) -> Shown:
    from penchant.calibration.shown_ads import from_impressions
    from penchant.logs.impressions import impressions_in

    with opened(store, settings) as place, place.store.snapshot() as snapshot:
        return from_impressions(impressions_in(snapshot, place.config.signals), click_signal)


def _report(console: Console, found: Calibrated) -> None:
    console.print(
        f"{found.impressions:,} impressions, {found.clicks:,} clicks "
        f"({found.clicks / found.impressions:.2%}); judged on the newest "
        f"{found.held_out_impressions:,}."
    )
    table = Table(title="On later impressions", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("chance of a click")
    for heading in ("ECE", "ECE by chance alone", "log-loss"):
        table.add_column(heading, justify="right")
    for name, one in found.held_out.items():
        row = (f"{one.ece:.5f}", f"{one.ece_by_chance:.5f}", f"{one.log_loss:.5f}")
        table.add_row(_NAMES.get(name, name), *row)
    console.print(table)
    low, high = found.fit.slope_interval
    lines = [f"slope {found.fit.slope:.3f} ({low:.3f} to {high:.3f})"]
    for place, (looks, (least, most)) in enumerate(
        zip(found.fit.examination, found.fit.examination_intervals, strict=True), start=1
    ):
        interval = "" if place == 1 else f" ({least:.3f} to {most:.3f})"
        lines.append(f"examination of place {place}: {looks:.3f}{interval}")
    console.print(Text("\n".join(lines)))
    for warning in found.warnings:
        console.print(Text(f"Warning: {warning}.", "yellow"), soft_wrap=True)


_NAMES = {
    "score": "the score's own sigmoid",
    "without places": "calibrated, places alike (Platt)",
    "with places": "calibrated by place",
    "in use": "in use until now",
}
