"""`penchant prune`: a smaller encoder of a larger one, taught by it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from penchant.cli import log_options as log
from penchant.cli.compressing import change_table, judge_of, refusals
from penchant.cli.export import read_lines
from penchant.domain.errors import ConfigError


def prune(
    source: Annotated[Path, typer.Option(help="Directory that `penchant finetune` wrote.")],
    output: Annotated[Path, typer.Option(help="Directory to write, for penchant export.")],
    layers: Annotated[int, typer.Option(min=1, help="Layers to keep.")] = 3,
    keep_vocabulary: Annotated[
        bool, typer.Option("--keep-vocabulary", help="Keep tokens that no text uses.")
    ] = False,
    texts: Annotated[
        Path | None,
        typer.Option(help="More texts, one a line, whose tokens stay and which are taught too."),
    ] = None,
    steps: Annotated[int, typer.Option(min=0, help="Steps of the distillation.")] = 600,
    learning_rate: Annotated[float, typer.Option(help="Of the distillation.")] = 5e-4,
    seed: Annotated[int, typer.Option(help="Of all that is drawn.")] = 0,
    max_loss: Annotated[
        str, typer.Option(help="Share of NDCG@10 that may be lost, as 3% or 0.03.")
    ] = "3%",
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
    """Drops the layers that are missed least, teaches the rest, and trims the vocabulary.

    Each layer's worth is measured on the validation part. The smaller encoder then learns to give
    the vectors that the larger one gave. Refused, with nothing written, past the budget.
    """
    budget = log.share_of("--max-loss", max_loss)
    more = [] if texts is None else read_lines(texts)
    console = Console(highlight=False)
    where = log.source_of(
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
    config = log.config_of(source, settings)
    judge = judge_of(console, where, config, relevant, validation_fraction, log_fraction)
    with console.status("Loading PyTorch") as status:
        try:  # Only here: it takes seconds, and a server has none.
            from penchant.training.compress.prune import PruneSettings
            from penchant.training.compress.prune import prune as run
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"prune: the package {error.name} is missing; `pip install 'penchant[train]'`"
            ) from error
        chosen = PruneSettings(layers, not keep_vocabulary, steps, learning_rate, seed)
        with refusals(console):
            result = run(source, output, judge, chosen, more, budget, status.update)
    console.print(change_table(result.change))
    kept = ", ".join(map(str, result.kept_layers))
    console.print(
        f"Layers {kept} of {result.layers} and {result.kept_tokens:,} of {result.tokens:,} tokens "
        f"are kept. Next: penchant export --source {output} --output DIR",
        soft_wrap=True,
    )
