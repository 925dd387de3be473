"""`penchant quantize`: an encoder in int8, if it loses little enough."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli import log_options as log
from penchant.cli.compressing import change_table, judge_of, refusals
from penchant.domain.errors import ConfigError


def quantize(
    encoder: Annotated[Path, typer.Option(help="Directory that `penchant export` wrote.")],
    output: Annotated[Path, typer.Option(help="Directory to write; an encoder is replaced.")],
    method: Annotated[
        str,
        typer.Option(help="blockwise: faithful; dynamic: faster, lossy; static: for TensorRT."),
    ] = "blockwise",
    max_loss: Annotated[
        str, typer.Option(help="Share of NDCG@10 that may be lost, as 1% or 0.01.")
    ] = "1%",
    validation_fraction: log.ValidationFraction = 0.1,
    log_fraction: log.LogFraction = 1.0,
    items: log.ItemsFile = None,
    events: log.EventsFile = None,
    dataset: log.Dataset = "",
    store: log.Store = "",
    settings: log.ServerSettings = None,
    relevant: log.Relevant = "",
    text_template: log.TextTemplate = "",
    signal: log.ConstantSignal = "",
    time_unit: log.TimeUnit = "s",
    mapped: log.Mapped = None,
    format: log.Format = None,
) -> None:
    """Quantizes an encoder to int8, measures what that costs, and refuses past the budget.

    Products of weights whose activations int8 serves badly stay in fp32: as few as the budget
    needs, found by measuring.
    """
    budget = log.share_of("--max-loss", max_loss)
    console = Console(highlight=False)
    source = log.source_of(
        items,
        events,
        dataset,
        store=store,
        columns={},
        text_template=text_template,
        signal=signal,
        time_unit=time_unit,
        mapped=mapped,
        format=format,
    )
    config = log.config_of(encoder, settings)
    judge = judge_of(console, source, config, relevant, validation_fraction, log_fraction)
    with console.status("Loading the quantizer") as status:
        try:  # Only here: a server has none of it.
            from penchant.training.compress.quantize import quantize as run
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"quantize: the package {error.name} is missing; `pip install 'penchant[train]'`"
            ) from error
        with refusals(console):
            result = run(encoder, output, judge, method, budget, status.update)
    console.print(change_table(result.change))
    console.print(
        f"{len(result.kept)} of {result.products} products stay in fp32. "
        f"Next: penchant publish --encoder {output} --store lmdb:DIR",
        soft_wrap=True,
    )
