"""`penchant compile`: an encoder's graph to a TensorRT engine beside it."""

from __future__ import annotations

from typing import Annotated

from rich.table import Table

from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import text_status
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT
from penchant.training.compilation.compile import CompileReport, CompileRequest, compile_encoder


def compile(*, request: Annotated[CompileRequest, FLAT]) -> None:
    """Compiles an encoder for GPUs, even on a machine without one.

    The engine is written beside the graph it was built from; servers with such a GPU use it.
    """
    console = terminal()
    with text_status(console, "Loading TensorRT") as status:
        report = compile_encoder(request, status)
    console.print(report_table(report))
    publish = command_line("publish", "--candidate", request.source)
    next_steps(console, {publish: "judges it, and serves it"})


def report_table(report: CompileReport) -> Table:
    """The result of a compilation as a table."""
    note = report.note
    table = Table("engine", str(report.path))
    table.add_row("runtime", f"{note.runtime} {note.runtime_version}")
    table.add_row("compute capability", ", ".join(note.compute_capabilities) or "this GPU's")
    products = ", ".join(f"{count} {kind}" for kind, count in report.network.products.items())
    table.add_row("precision", f"{note.precision}; matrix products: {products}")
    profiles = [f"{one.most_texts} × {one.most_tokens}" for one in note.profiles]
    table.add_row("profiles, texts × tokens", ", ".join(profiles))
    for name, shapes in (("inputs", report.network.inputs), ("output", report.network.outputs)):
        table.add_row(name, ", ".join(f"{one.name} {one.type} {one.dims}" for one in shapes))
    if report.least_cosine is not None:
        table.add_row("least cosine with fp32, on the CPU", f"{report.least_cosine:.5f}")
    table.add_row("size", f"{note.size_bytes / 1e6:.1f} MB")
    checked = "loaded and checked" if report.inspected else "not loaded, which needs such a GPU"
    table.add_row("engine", checked)
    table.add_row("duration", f"{report.seconds:.1f} s")
    return table
