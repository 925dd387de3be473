"""`penchant tune`: the settings that suit a log, searched on its training part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli import log_options as log
from penchant.cli import tuning
from penchant.cli.tuning import Choices, Finetuning
from penchant.evaluation.targets import ReplayConfig
from penchant.tuning.objective import FIT_FRACTION, Metric

_SEARCH = "The search"


def tune(
    items: log.ItemsFile = None,
    events: log.EventsFile = None,
    dataset: log.Dataset = "",
    encoder: log.EncoderDirectory = log.ENCODER,
    settings: log.ServerSettings = None,
    train_fraction: log.TrainFraction = 0.3,
    relevant: log.Relevant = "",
    every: log.Every = 1,
    refresh: log.Refresh = False,
    refresh_every: Annotated[
        int, typer.Option(help="Refresh again after so many events; 0: never.")
    ] = 5000,
    candidates: log.Candidates = "unseen",
    trials: Annotated[
        int, typer.Option(help="In all, earlier runs included.", min=1, rich_help_panel=_SEARCH)
    ] = 100,
    minutes: Annotated[
        float | None,
        typer.Option(help="Begin no trial after so many.", min=0, rich_help_panel=_SEARCH),
    ] = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            help="SQLite file of the trials: the same command goes on from there.",
            dir_okay=False,
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Search this one only; repeatable.",
            show_default="all that are at work and not set",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option(help="ndcg@K, recall@K or mrr.", rich_help_panel=_SEARCH)
    ] = "ndcg@10",
    finetune: Annotated[
        bool,
        typer.Option(
            "--finetune",
            help="Fine-tune an encoder in each trial; minutes each.",
            rich_help_panel=_SEARCH,
        ),
    ] = False,
    finetune_steps: Annotated[
        int, typer.Option(help="Of the encoder, at most.", min=0, rich_help_panel=_SEARCH)
    ] = 100,
    source: Annotated[
        Path | None,
        typer.Option(
            help="Of --finetune: Hugging Face encoder directory.",
            show_default="all-MiniLM-L6-v2",
            rich_help_panel=_SEARCH,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the search.", min=0, rich_help_panel=_SEARCH)] = 1,
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
    """Searches settings that rank better, on the oldest part of a log; reads nothing after it.

    Each trial replays that part as penchant evaluate does: learns from its older two thirds,
    ranks for the newer one. What is given by --set stays; the rest is searched from the defaults.
    """
    chosen = log.source_of(
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
    )
    choices = Choices(
        source=chosen,
        config=log.config_of(encoder, settings),
        fixed=log.pairs_of(settings),
        train_fraction=train_fraction,
        plan=ReplayConfig(FIT_FRACTION, every, refresh_every, candidates),
        relevant=relevant,
        refresh=refresh,
        finetuning=Finetuning(source, finetune_steps) if finetune else None,
        names=tuple(parameter or ()),
        metric=Metric(metric),
        trials=trials,
        minutes=minutes,
        storage=storage,
        seed=seed,
    )
    raise typer.Exit(tuning.run(Console(highlight=False), choices))
