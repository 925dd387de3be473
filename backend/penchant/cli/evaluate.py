"""`penchant evaluate`: how good the rankings are on a log of one's own, and beside its peers."""

from __future__ import annotations

import signal as signals
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli import evaluation
from penchant.cli import log_options as log
from penchant.cli.evaluation import GENRES, Choices, Finetuning
from penchant.domain.errors import ConfigError
from penchant.evaluation.targets import ReplayConfig
from penchant.refresh.refresh_settings import RefreshSettings

_REFRESH = RefreshSettings()
_OUTPUT = "Output"


def evaluate(
    items: log.ItemsFile = None,
    events: log.EventsFile = None,
    dataset: log.Dataset = "",
    store: log.Store = "",
    encoder: log.EncoderDirectory = log.ENCODER,
    settings: log.ServerSettings = None,
    peers: Annotated[
        str, typer.Option(metavar="NAME,NAME,...", help="What to compare with; all: every one.")
    ] = "",
    keep: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Directory: peers that are done there are not run again."
        ),
    ] = None,
    train_fraction: log.TrainFraction = 0.3,
    relevant: log.Relevant = "",
    every: log.Every = 1,
    refresh: log.Refresh = False,
    text_weight: Annotated[
        float, typer.Option(help="Of --refresh: how much texts count beside co-occurrence.")
    ] = _REFRESH.text_weight,
    window: Annotated[
        int, typer.Option(help="Of --refresh: likes are near if at most so many places apart.")
    ] = _REFRESH.window,
    shrinkage: Annotated[
        float, typer.Option(help="Of --refresh: likes that weigh as much as the text.")
    ] = _REFRESH.shrinkage,
    refresh_every: Annotated[
        int, typer.Option(help="Fit (the peers too) again after so many events; 0: never.")
    ] = 5000,
    finetune: Annotated[
        bool,
        typer.Option("--finetune", help="Train the encoder's projection on the training part."),
    ] = False,
    finetune_every: Annotated[
        int, typer.Option(help="Of --finetune: again after so many events, at a fit; 0: never.")
    ] = 0,
    dimensions: Annotated[int, typer.Option(help="Of --finetune: length of the vectors.")] = 64,
    k: Annotated[
        str, typer.Option("--k", "-k", metavar="K,K,...", help="Cut-offs of recall and NDCG.")
    ] = "10,50",
    candidates: log.Candidates = "unseen",
    hold_out_items: Annotated[
        float, typer.Option(help="Share of the items that come only when training ends.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the intervals and the peers.")] = 1,
    attribute: Annotated[
        str,
        typer.Option(
            help="Attribute of items to measure calibration by.",
            show_default=f"none; {GENRES} for movielens",
        ),
    ] = "",
    json: Annotated[
        Path | None, typer.Option(help="Write all numbers to this file.", rich_help_panel=_OUTPUT)
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write an HTML page with plots.", rich_help_panel=_OUTPUT)
    ] = None,
    id_column: log.IdColumn = "id",
    text_column: log.TextColumn = "text",
    text_template: log.TextTemplate = "",
    user_column: log.UserColumn = "user",
    item_column: log.ItemColumn = "item",
    signal_column: log.SignalColumn = "signal",
    signal: log.ConstantSignal = "",
    value_column: log.ValueColumn = "value",
    time_column: log.TimeColumn = "occurred_at",
    time_unit: log.TimeUnit = "s",
    event_id_column: log.EventIdColumn = "event_id",
    mapped: log.Mapped = None,
    format: log.Format = None,
) -> None:
    """Replays a log: before each relevant event ranks the catalog, after each event learns.

    Strictly in time order, by the same code as a server; nothing is sent to one. Known besides
    the columns below: user_id, item_id, timestamp, and rating for signal and value.
    """
    console = Console(highlight=False)
    source = log.source_of(
        items,
        events,
        dataset,
        columns={
            "id": id_column,
            "text": text_column,
            "user": user_column,
            "item": item_column,
            "signal": signal_column,
            "value": value_column,
            "occurred_at": time_column,
            "event_id": event_id_column,
        },
        text_template=text_template,
        signal=signal,
        time_unit=time_unit,
        mapped=mapped,
        format=format,
        store=store,
    )
    choices = Choices(
        source=source,
        config=log.config_of(encoder, settings),
        peers=peers,
        plan=ReplayConfig(train_fraction, every, refresh_every, candidates),
        refresh=RefreshSettings(window, text_weight, shrinkage) if refresh else None,
        finetune=Finetuning(dimensions, finetune_every) if finetune else None,
        relevant=relevant,
        hold_out_items=hold_out_items,
        ks=_cut_offs(k),
        seed=seed,
        attribute=attribute,
        keep=keep,
        json=json,
        report=report,
    )
    try:
        evaluation.run(console, choices)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        raise typer.Exit(128 + signals.SIGINT) from None


def _cut_offs(text: str) -> list[int]:
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = []
    if not ks or ks[0] < 1:
        raise ConfigError(f"--k: got {text!r}, expected numbers from 1, as in 10,50")
    return ks
