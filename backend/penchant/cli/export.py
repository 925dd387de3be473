"""`penchant export`: a Hugging Face encoder to the directory that the server loads."""

from __future__ import annotations

from typing import Annotated

from rich.table import Table

from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import text_status
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.export import ExportReport, ExportRequest, export_encoder


def export(*, request: Annotated[ExportRequest, FLAT]) -> None:
    """Exports an encoder to ONNX and compares it with PyTorch.

    With --items or --dataset, up to 1,000 texts of that catalog are compared too. A LoRA adapter
    saved apart from its base model is merged first.
    """
    console = terminal()
    with text_status(console, "Exporting") as status:
        report = export_encoder(request, status)
    for note in report.left_out:
        console.say(printable(note), "yellow")
    console.print(report_table(report))
    next_steps(
        console,
        {
            command_line("serve", "--encoder", request.output): "a server that begins with it",
            command_line("publish", "--candidate", request.output): "judged, and served beside",
        },
    )


def report_table(report: ExportReport) -> Table:
    """The result of an export as a table."""
    table = Table("encoder", str(report.directory))
    table.add_row("version", report.version)
    table.add_row("source", f"{report.settings.source}, {report.settings.pooling} pooling")
    kept = "" if report.explained is None else f", {report.explained:.0%} of the variance"
    table.add_row(
        "dimensions", f"{report.settings.dimensions} ({report.settings.projection}{kept})"
    )
    table.add_row("token limit", str(report.settings.max_tokens))
    table.add_row("size", f"{report.size_bytes / 1e6:.1f} MB")
    compared = f"{report.max_difference:.1e} over {report.compared_texts:,} texts"
    if report.compared_of_catalog:
        compared += f", {report.compared_of_catalog:,} of them the catalog's"
    table.add_row("largest difference to PyTorch", compared)
    if report.least_cosine is not None:
        least = f"{report.least_cosine:.5f}"
        table.add_row("least cosine with sentence-transformers", least)
    table.add_row("duration", f"{report.seconds:.1f} s")
    return table
