"""Quantization: an encoder in int8, if it ranks nearly as well as in fp32.

A few matrix products have activations with outliers, which one scale represents badly. They are
found by measuring: each product is quantized alone, and those that turn the vectors most stay in
fp32, as few as the loss budget needs.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.encoder.base import Encoder
from penchant.encoder.bundle import MANIFEST, read_bundle
from penchant.evaluation.replay_log import OnLog, ignore_log
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT, Share
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import check_replaceable, whole_directory
from penchant.training.compress.encoder_comparison import (
    EncoderComparison,
    check_max_loss,
    compare_encoders,
    cosines_of,
    require_within,
)
from penchant.training.compress.validation_log import ValidationLog, read_rankings
from penchant.training.validation_rankings import ValidationRankings

if TYPE_CHECKING:
    from penchant.training.compress.int8_graph import GraphQuantizer

METHODS = ("dynamic", "blockwise", "static")
QUANTIZE_NOTE = "quantize.json"
"""File in a quantized encoder's directory that holds its report."""
PROBED = 200
"""Number of texts to measure each product's harm on."""
KEPT = (0, 1, 2, 4, 6, 8, 12)
"""Numbers of products in fp32 to try, in turn, until the loss is within the budget."""


@dataclass(frozen=True, slots=True)
class QuantizeRequest:
    """A quantization: the encoder, its loss budget, the log to measure on, and the output."""

    source: Path
    """Directory written by penchant export."""
    output: Path
    """Directory to write; an encoder there is replaced."""
    method: str = "blockwise"
    """Method: blockwise, faithful; dynamic, faster but lossy; or static, for TensorRT."""
    max_loss: Share = 0.01
    """Share of NDCG@10 that may be lost, 0 to below 1, as 1% or 0.01."""
    validation: Annotated[ValidationLog, FLAT] = ValidationLog()
    rankings: Annotated[ValidationRankings | None, Parameter(parse=False)] = None
    """Rankings already chosen, instead of those of `validation`."""

    @property
    def reads(self) -> tuple[Path | None, ...]:
        """The files and directories that it names to read; None for one that it does not."""
        return self.source, *self.validation.log.files

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method: got {self.method!r}, expected one of: {', '.join(METHODS)}")


@dataclass(frozen=True, slots=True)
class QuantizeReport:
    """The result of a quantization."""

    directory: Path
    version: str
    """See `Bundle.version`."""
    method: str
    kept: tuple[str, ...]
    """Names of the matrix products that stay in fp32, most harmful first."""
    products: int
    """Number of matrix products with weights."""
    change: EncoderComparison
    """The encoder before and after."""


def quantize(
    request: QuantizeRequest,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_read: OnLog = ignore_log,
) -> QuantizeReport:
    """Quantizes an encoder to int8, with as few products in fp32 as its loss budget needs.

    Args:
        request: encoder, method, log and output.
        on_stage: called when a stage begins, with its name.
        on_read: called once the log is read.

    Raises:
        ConfigError: an argument is wrong; nothing is written.
        LossBudgetExceeded: more is lost than allowed; nothing is written.
    """
    check_max_loss(request.max_loss)
    check_replaceable(request.output, MANIFEST, "an encoder", request.reads)
    bundle = read_bundle(request.source)
    rankings = request.rankings or read_rankings(request.validation, request.source, on_read)
    on_stage("Loading the quantizer")
    with needs_extra("quantize", "train"):  # A server lacks the extra.
        from penchant.training.compress.int8_graph import GraphQuantizer
    with tempfile.TemporaryDirectory(prefix="penchant-quantize-") as work:
        quantizer = GraphQuantizer(bundle, request.method, rankings.texts, Path(work))
        best, change, kept = _fewest_in_fp32(quantizer, rankings, request.max_loss, on_stage)
        require_within(change, request.max_loss, "quantize")
        report = QuantizeReport(
            directory=request.output,
            version=read_bundle(best).version,
            method=request.method,
            kept=kept,
            products=len(quantizer.products),
            change=change,
        )
        note = {**dataclasses.asdict(report), "directory": "", "source": bundle.version}
        with whole_directory(request.output) as made:
            shutil.copytree(best, made, dirs_exist_ok=True)
            write_whole(made / QUANTIZE_NOTE, json.dumps(note, indent=2) + "\n")
    return report


def _fewest_in_fp32(
    quantizer: GraphQuantizer,
    rankings: ValidationRankings,
    max_loss: float,
    on_stage: Callable[[str], None],
) -> tuple[Path, EncoderComparison, tuple[str, ...]]:
    """The encoder with the fewest products in fp32 whose loss is within the budget.

    If none is, the one that lost least. At least one product is quantized.

    Returns:
        Its directory, its comparison with the source, and the products in fp32.
    """
    source = _load(quantizer.source)
    order: list[str] = []
    best: tuple[Path, EncoderComparison, tuple[str, ...]] | None = None
    most = len(quantizer.products) if quantizer.takes_some_products else 1
    for count in (count for count in KEPT if count < most):
        if count and not order:
            on_stage("Measuring each product's harm")
            order = _by_harm(quantizer, source, rankings.texts)
        kept = tuple(order[:count])
        on_stage(f"Measuring the loss with {count} products in fp32")
        made = quantizer.write(f"kept-{count}", kept)
        change = compare_encoders(rankings, (source, quantizer.source), (_load(made), made))
        if best is None or change.loss < best[1].loss:
            best = made, change, kept
        if change.loss <= max_loss:
            break
    assert best is not None
    return best


def _by_harm(quantizer: GraphQuantizer, source: Encoder, texts: list[str]) -> list[str]:
    """The products, first the one that turns the vectors most if quantized alone."""
    probed = texts[:: -(-len(texts) // PROBED)]
    exact = source.encode(probed)
    harm = {}
    for name in quantizer.products:
        made = quantizer.write("probe", [other for other in quantizer.products if other != name])
        harm[name] = float((1 - cosines_of(exact, _load(made).encode(probed))).mean())
    return sorted(harm, key=lambda name: (-harm[name], quantizer.products.index(name)))


def _load(directory: Path) -> Encoder:
    from penchant.encoder.onnx import OnnxEncoder  # Only here: it loads ONNX Runtime.

    return OnnxEncoder.load(directory, threads=1)
