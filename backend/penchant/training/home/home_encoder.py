"""Export of the encoder that understands a smart home, and extraction of its adapter."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import MANIFEST, read_bundle
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import whole_directory
from penchant.training.export import ExportRequest, export_encoder
from penchant.training.home.home_adapter import adapter_digest, extract_adapter, write_source

PRECISIONS = ("int8", "fp32")


@dataclass(frozen=True, slots=True)
class HomeEncoderRequest:
    """An export of the home's encoder, or an extraction of its adapter."""

    output: Path
    """Directory to write; an encoder there is kept."""
    precision: str = "int8"
    """Number format of the weights: int8, in blocks, 1.8 times as fast for one text; or fp32."""
    extract: Annotated[Path | None, Parameter(metavar="ENCODER")] = None
    """Encoder written by penchant finetune --method lora, or a checkpoint of it: write its low-rank
    additions and projection as an adapter instead."""

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            expected = " or ".join(PRECISIONS)
            raise ConfigError(f"precision: got {self.precision!r}, expected {expected}")


def encoder_name(precision: str = "int8") -> str:
    """Name of a directory for the encoder that Penchant's own adapter makes."""
    return f"encoder-home-{precision}-{adapter_digest()}"


def home_encoder(
    request: HomeEncoderRequest, on_stage: Callable[[str], None] = lambda stage: None
) -> Path:
    """Exports all-MiniLM-L6-v2 with the adapter that comes with Penchant.

    With `extract`, makes an adapter of a fine-tuned encoder instead, as that one was made.

    Args:
        request: output, and the fine-tuned encoder to extract.
        on_stage: called when a stage begins, with its name.

    Returns:
        The output. An encoder that was there already is kept as it is.

    Raises:
        ConfigError: the precision is unknown, the base model or a package is missing, or the
            fine-tuned encoder has other weights.
    """
    output = request.output
    if request.extract is not None:
        on_stage("Extracting the adapter")
        extract_adapter(request.extract, output)
    elif not (output / MANIFEST).is_file():
        source = write_source(output.with_name(f"{output.name}-source"))
        if request.precision == "fp32":
            export_encoder(ExportRequest(output=output, source=source), on_stage)
        else:
            _export_int8(source, output, on_stage)
    return output


def _export_int8(source: Path, output: Path, on_stage: Callable[[str], None]) -> None:
    """Exports an encoder, and writes it with all of its matrix products in int8."""
    with needs_extra("home", "train"):  # A server lacks the extra.
        from penchant.training.compress.int8_graph import GraphQuantizer
    with tempfile.TemporaryDirectory(prefix="penchant-home-") as work:
        plain = Path(work) / "fp32"
        export_encoder(ExportRequest(output=plain, source=source), on_stage)
        on_stage("Quantizing")
        quantizer = GraphQuantizer(read_bundle(plain), "blockwise", (), Path(work))
        with whole_directory(output) as made:
            shutil.copytree(quantizer.write("int8", ()), made, dirs_exist_ok=True)
