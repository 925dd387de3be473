"""`penchant export`: a Hugging Face encoder to the directory that the server loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source

if TYPE_CHECKING:
    from penchant.offline.export import ExportReport


def export(
    output: Annotated[Path, typer.Option(help="Directory to write; an encoder there is replaced.")],
    source: Annotated[
        Path | None,
        typer.Option(help="Hugging Face encoder directory.", show_default="all-MiniLM-L6-v2"),
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
) -> None:
    """Exports an encoder to ONNX and compares it with PyTorch."""
    console = Console()
    source = source or default_source()
    texts = None if projection_texts is None else read_lines(projection_texts)
    with console.status("Loading PyTorch") as status:
        try:  # only here: PyTorch takes seconds to load, and a server has none
            from penchant.offline.export import export as run
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
    compared = f"{report.max_difference:.1e} over {report.compared_texts} texts"
    table.add_row("largest difference to PyTorch", compared)
    table.add_row("time", f"{report.seconds:.1f} s")
    return table
