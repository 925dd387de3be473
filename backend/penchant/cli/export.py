"""`penchant export`: a Hugging Face encoder to the directory that the server loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from penchant.cli import log_options as log
from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.log_source import MOVIELENS, LogSource
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_items
from penchant.logs.refusals import LeftOut

if TYPE_CHECKING:
    from penchant.training.export import ExportReport


def export(
    output: Annotated[Path, typer.Option(help="Directory to write; an encoder there is replaced.")],
    source: Annotated[
        Path | None,
        typer.Option(
            help="Hugging Face encoder directory, or a LoRA adapter of one.",
            show_default="all-MiniLM-L6-v2",
        ),
    ] = None,
    dimensions: Annotated[int, typer.Option(min=1, help="Length of the vectors.")] = 64,
    projection_texts: Annotated[
        Path | None,
        typer.Option(help="Texts, one a line: keep their principal components, don't truncate."),
    ] = None,
    pca_power: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Flatten the components; 0.5 whitens.")
    ] = 0.0,
    max_tokens: Annotated[int, typer.Option(help="Texts are cut after so many tokens.")] = 128,
    items: log.ItemsFile = None,
    dataset: Annotated[str, typer.Option(help="movielens, instead of a file of items.")] = "",
    id_column: log.IdColumn = "id",
    text_column: log.TextColumn = "text",
    text_template: log.TextTemplate = "",
    mapped: log.Mapped = None,
    format: log.Format = None,
) -> None:
    """Exports an encoder to ONNX and compares it with PyTorch.

    With --items or --dataset, up to 1,000 texts of that catalog are compared too. A LoRA adapter
    that lies apart from its base model is merged first.
    """
    console = Console()
    source = source or default_source()
    texts = None if projection_texts is None else read_lines(projection_texts)
    where = log.source_of(
        items,
        None,
        dataset,
        columns={"id": id_column, "text": text_column},
        text_template=text_template,
        signal="",
        time_unit="s",
        mapped=mapped,
        format=format,
    )
    catalog = _catalog(where)
    with console.status("Loading PyTorch") as status:
        try:  # only here: PyTorch takes seconds to load, and a server has none
            from penchant.training.export import export as run
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"export: the package {error.name} is missing; `pip install 'penchant[train]'`"
            ) from error
        report = run(
            source,
            output,
            dimensions=dimensions,
            projection="truncate" if texts is None else "pca",
            projection_texts=texts,
            max_tokens=max_tokens,
            pca_power=pca_power,
            catalog=catalog,
            on_step=status.update,
        )
    console.print(report_table(report))
    console.print(
        f"Next: set the parameter [bold]encoder[/bold] to {output.resolve()} in each model's "
        "config.pbtxt, and restart the server. All items are encoded anew if the version changed."
    )


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file that are not blank.

    Raises:
        ConfigError: it can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"projection_texts: {path} can't be read: {error}") from error
    return [line for line in lines if line.strip()]


def _catalog(source: LogSource) -> list[str]:
    """The texts of a source's items; none where it names no items."""
    if source.dataset:
        if source.dataset != MOVIELENS or source.items is not None:
            raise ConfigError(
                f"--dataset: got {source.dataset!r}, expected {MOVIELENS}, without --items"
            )
        return [film.text for film in read_movielens().films]
    if source.items is None:
        return []
    table = open_table(source.items, source.format)
    try:
        return [item.text for item in read_items(table, source.item_columns, LeftOut())]
    finally:
        table.close()


def report_table(report: ExportReport) -> Table:
    """What an export made, as people read it."""
    table = Table("encoder", str(report.directory))
    table.add_row("version", report.version)
    table.add_row("source", f"{report.settings.source}, {report.settings.pooling} pooling")
    kept = "" if report.explained is None else f", {report.explained:.0%} of the variance"
    table.add_row(
        "dimensions", f"{report.settings.dimensions} ({report.settings.projection}{kept})"
    )
    table.add_row("most tokens", str(report.settings.max_tokens))
    table.add_row("size", f"{report.size_bytes / 1e6:.1f} MB")
    compared = f"{report.max_difference:.1e} over {report.compared_texts:,} texts"
    if report.compared_of_catalog:
        compared += f", {report.compared_of_catalog:,} of them the catalog's"
    table.add_row("largest difference to PyTorch", compared)
    table.add_row("time", f"{report.seconds:.1f} s")
    return table
