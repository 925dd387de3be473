"""`penchant compile`: an encoder's graph to a TensorRT engine beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from penchant.domain.errors import ConfigError
from penchant.training.compilation.compile_settings import CompileSettings

if TYPE_CHECKING:
    from penchant.training.compilation.compile import CompileReport

_DEFAULTS = CompileSettings()
_TOKENS = ",".join(map(str, _DEFAULTS.tokens))


def compile(
    encoder: Annotated[Path, typer.Option(help="Directory that `penchant export` wrote.")],
    precision: Annotated[
        str, typer.Option(help="fp32, fp16, or graph: as it is, quantized ones too.")
    ] = _DEFAULTS.precision,
    compute_capability: Annotated[
        list[str] | None,
        typer.Option(help="Of a GPU to build for, as 8.9; repeatable.", show_default="8.9"),
    ] = None,
    this_gpu: Annotated[
        bool, typer.Option("--this-gpu", help="Build for the GPU of this machine instead.")
    ] = False,
    texts: Annotated[int, typer.Option(help="The most texts in one run.")] = _DEFAULTS.texts,
    tokens: Annotated[
        str, typer.Option(help="A profile for texts of up to so many tokens each.")
    ] = _TOKENS,
    refittable: Annotated[
        bool, typer.Option("--refittable", help="Weights can be exchanged without a new build.")
    ] = False,
    version_compatible: Annotated[
        bool, typer.Option("--version-compatible", help="Runs under later TensorRTs too.")
    ] = False,
    timing_cache: Annotated[
        Path | None,
        typer.Option(help="A file that builds read and add to."),
    ] = None,
) -> None:
    """Compiles an encoder for GPUs, also on a machine that has none.

    The engine is written beside the graph it was built of; a server that has such a GPU takes it.
    """
    capabilities = () if this_gpu else tuple(compute_capability or ("8.9",))
    settings = CompileSettings(
        precision=precision,
        compute_capabilities=capabilities,
        texts=texts,
        tokens=_numbers(tokens),
        refittable=refittable,
        version_compatible=version_compatible,
        timing_cache=timing_cache,
    )
    console = Console(highlight=False)
    with console.status("Loading TensorRT") as status:
        try:  # Only here: a server that runs on a CPU has neither.
            from penchant.training.compilation.compile import compile_encoder
            from penchant.training.export import comparison_texts
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"compile: the package {error.name} is missing; "
                "`pip install 'penchant[train,tensorrt]'`"
            ) from error
        report = compile_encoder(encoder, comparison_texts(), settings, status.update)
    console.print(report_table(report))
    console.print(f"Next: penchant publish --encoder {encoder} --store lmdb:DIR", soft_wrap=True)


def report_table(report: CompileReport) -> Table:
    """What a compilation made, as people read it."""
    note = report.note
    table = Table("engine", str(report.path))
    table.add_row("runtime", f"{note.runtime} {note.runtime_version}")
    table.add_row("for compute capability", ", ".join(note.compute_capabilities) or "this GPU's")
    products = ", ".join(f"{count} {kind}" for kind, count in report.network.products.items())
    table.add_row("precision", f"{note.precision}; matrix products: {products}")
    profiles = [f"{one.most_texts} × {one.most_tokens}" for one in note.profiles]
    table.add_row("profiles, texts × tokens", ", ".join(profiles))
    for what, shapes in (("inputs", report.network.inputs), ("output", report.network.outputs)):
        table.add_row(what, ", ".join(f"{one.name} {one.type} {one.dims}" for one in shapes))
    if report.least_cosine is not None:
        table.add_row("least cosine with fp32, on the CPU", f"{report.least_cosine:.5f}")
    table.add_row("size", f"{note.size_bytes / 1e6:.1f} MB")
    seen = "loaded and looked at" if report.inspected else "not loaded: that needs such a GPU"
    table.add_row("engine", seen)
    table.add_row("time", f"{report.seconds:.1f} s")
    return table


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--tokens: got {text!r}, expected numbers, as in 16,32,128") from None
