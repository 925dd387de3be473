"""`penchant gate`: whether a candidate encoder may serve in the place of the baseline."""

from __future__ import annotations

import signal as signals
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli import gating
from penchant.cli import log_options as log
from penchant.cli.gating import REFUSED, Choices
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.validation import Validation
from penchant.refresh.refresh_settings import RefreshSettings

_BUDGETS, _VALIDATION = Budgets(), Validation()
_LOSS = "What may be lost, of the baseline's figure"
_OUTPUT = "Output"


def gate(
    baseline: Annotated[
        Path, typer.Option(help="What serves now: a directory that `penchant export` wrote.")
    ],
    candidate: Annotated[Path, typer.Option(help="What would serve in its place.")],
    items: log.ItemsFile = None,
    events: log.EventsFile = None,
    dataset: log.Dataset = "",
    store: log.Store = "",
    settings: log.ServerSettings = None,
    candidate_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--candidate-set",
            metavar="KEY=VALUE",
            help="A setting of the candidate alone; repeatable.",
        ),
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Let item vectors learn first, as `penchant refresh` does."),
    ] = False,
    relevant: log.Relevant = "",
    candidates: log.Candidates = _VALIDATION.candidates,
    validation_fraction: Annotated[
        float, typer.Option(help="The share of the events, the newest, to rank for.")
    ] = _VALIDATION.fraction,
    max_rankings: Annotated[
        int, typer.Option(help="Of more, one of every few is taken.")
    ] = _VALIDATION.max_rankings,
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="Each value of this attribute of items is a cohort; repeatable."),
    ] = None,
    probes: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Frozen rankings of an earlier era; repeatable.",
        ),
    ] = None,
    max_loss: Annotated[
        str, typer.Option(metavar="SHARE", help="Over all rankings.", rich_help_panel=_LOSS)
    ] = "1%",
    max_cohort_loss: Annotated[
        str, typer.Option(metavar="SHARE", help="In each cohort.", rich_help_panel=_LOSS)
    ] = "3%",
    max_probe_loss: Annotated[
        str, typer.Option(metavar="SHARE", help="In each probe set.", rich_help_panel=_LOSS)
    ] = "3%",
    max_robustness_loss: Annotated[
        str,
        typer.Option(
            metavar="SHARE",
            help="To careless texts, beside what the baseline loses to them.",
            rich_help_panel=_LOSS,
        ),
    ] = "3%",
    min_rankings: Annotated[
        int, typer.Option(help="A cohort of fewer is not judged.", rich_help_panel=_LOSS)
    ] = _BUDGETS.min_rankings,
    min_users: Annotated[
        int, typer.Option(help="The same of users.", rich_help_panel=_LOSS)
    ] = _BUDGETS.min_users,
    seed: Annotated[int, typer.Option(help="Of the intervals and the changed texts.")] = 1,
    json: Annotated[
        Path | None, typer.Option(help="Write all findings here.", rich_help_panel=_OUTPUT)
    ] = None,
    freeze_probes: Annotated[
        Path | None,
        typer.Option(
            help="Freeze the newest part of the log to this file, for later gates.",
            rich_help_panel=_OUTPUT,
        ),
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
    """Ranks the newest part of a log with both, and refuses a candidate that loses too much.

    Exit status: 0 passed, 2 refused, 1 an error. What is compared, and by which rule, is in
    docs/guides/gates.md.
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
        baseline=log.config_of(baseline, settings),
        candidate=log.config_of(candidate, [*(settings or ()), *(candidate_settings or ())]),
        refresh=RefreshSettings() if refresh else None,
        relevant=relevant,
        validation=Validation(validation_fraction, max_rankings, candidates),
        attributes=tuple(attribute or ()),
        probes=tuple(probes or ()),
        budgets=Budgets(
            overall=log.share_of("--max-loss", max_loss),
            cohort=log.share_of("--max-cohort-loss", max_cohort_loss),
            probes=log.share_of("--max-probe-loss", max_probe_loss),
            robustness=log.share_of("--max-robustness-loss", max_robustness_loss),
            min_rankings=min_rankings,
            min_users=min_users,
        ),
        seed=seed,
        json=json,
        freeze_probes=freeze_probes,
    )
    try:
        passed = gating.run(console, choices)
    except KeyboardInterrupt:
        console.print("Stopped; nothing was written.")
        raise typer.Exit(128 + signals.SIGINT) from None
    if not passed:
        raise typer.Exit(REFUSED)
