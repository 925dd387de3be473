"""Export of the encoder that understands a smart home, and extraction of its adapter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.encoder.bundle import MANIFEST
from penchant.training.export import ExportRequest, export_encoder
from penchant.training.home.home_adapter import extract_adapter, write_source


@dataclass(frozen=True, slots=True)
class HomeEncoderRequest:
    """An export of the home's encoder, or an extraction of its adapter."""

    output: Path
    """Directory to write; an encoder there is kept."""
    extract: Annotated[Path | None, Parameter(metavar="CHECKPOINT")] = None
    """Checkpoint of penchant finetune --method lora: write its low-rank additions and projection as
    an adapter instead."""


def home_encoder(
    request: HomeEncoderRequest, on_stage: Callable[[str], None] = lambda stage: None
) -> Path:
    """Exports all-MiniLM-L6-v2 with the adapter that comes with Penchant.

    With `extract`, makes an adapter of a checkpoint instead, as that one was made.

    Args:
        request: output, and the checkpoint to extract.
        on_stage: called when a stage begins, with its name.

    Returns:
        The output. An encoder that was there already is kept as it is.

    Raises:
        ConfigError: the base model or a package is missing, or the checkpoint has other weights.
    """
    output = request.output
    if request.extract is not None:
        on_stage("Extracting the adapter")
        extract_adapter(request.extract, output)
    elif not (output / MANIFEST).is_file():
        source = write_source(output.with_name(f"{output.name}-source"))
        export_encoder(ExportRequest(output=output, source=source), on_stage)
    return output
