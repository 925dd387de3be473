"""`penchant pretrain`: an encoder reads the texts of a far domain before it is fine-tuned."""

from __future__ import annotations

import signal as signals
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from penchant.cli import log_options as log
from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.logs.columns import ItemColumns
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.log_source import MOVIELENS
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_items
from penchant.logs.refusals import LeftOut


def pretrain(
    output: Annotated[Path, typer.Option(help="Directory to write, for penchant finetune.")],
    items: log.ItemsFile = None,
    dataset: Annotated[str, typer.Option(help="movielens, instead of a file of items.")] = "",
    texts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="More texts of the domain, one a line."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Hugging Face encoder directory.",
            show_default="all-MiniLM-L6-v2",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Training steps.")] = 500,
    batch: Annotated[int, typer.Option(min=1, help="Texts a step.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Of all weights.")] = 5e-5,
    masked_share: Annotated[float, typer.Option(help="Share of the tokens to guess.")] = 0.15,
    max_tokens: Annotated[int, typer.Option(min=3, help="Texts are cut after so many.")] = 64,
    seed: Annotated[int, typer.Option(help="Of masks and order.")] = 1,
    report_to: Annotated[str, typer.Option(help="tensorboard, wandb or none.")] = "none",
    text_column: log.TextColumn = "text",
    text_template: log.TextTemplate = "",
    format: log.Format = None,
) -> None:
    """Trains an encoder to guess masked words of the catalog's texts; needs no events.

    Worth it where items speak a language of their own (parts, medicine, recipes). A training that
    was stopped or killed goes on with the same command.
    """
    console = Console(highlight=False)
    columns = ItemColumns(text=text_column, text_template=text_template)
    read = _texts(items, dataset, texts, columns, format)
    try:  # Only here: it takes seconds, and a server has none.
        from penchant.training.pretrain import PretrainRequest, PretrainSettings
        from penchant.training.pretrain import pretrain as train
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"pretrain: the package {error.name} is missing; `pip install 'penchant[train]'`"
        ) from error
    settings = PretrainSettings(steps, batch, learning_rate, masked_share, max_tokens, seed=seed)
    request = PretrainRequest(read, source or default_source(), output, settings, report_to)
    columns_shown = (TextColumn("Guessing masked words"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns_shown, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task("", total=steps)
            report = train(request, lambda step: progress.update(task, completed=step))
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on from the last checkpoint.")
        raise typer.Exit(128 + signals.SIGINT) from None
    console.print(
        f"Loss of masked words in texts held out: {report.before:.3f} -> {report.after:.3f} nats\n"
        f"Next: penchant finetune --source {output} ..."
    )


def _texts(
    items: Path | None,
    dataset: str,
    texts: Path | None,
    columns: ItemColumns,
    format: str | None,
) -> list[str]:
    found = [] if texts is None else texts.read_text(encoding="utf-8").splitlines()
    if dataset:
        if dataset != MOVIELENS or items is not None:
            raise ConfigError(f"--dataset: got {dataset!r}, expected {MOVIELENS}, without --items")
        found += [film.text for film in read_movielens().films]
    elif items is not None:
        table = open_table(items, format)
        try:
            found += [item.text for item in read_items(table, columns, LeftOut())]
        finally:
            table.close()
    if not found:
        raise ConfigError("nothing to read: name --items, --dataset movielens or --texts")
    return found
