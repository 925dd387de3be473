"""An encoder's graph in int8 for ONNX Runtime on a CPU, or as int8 for TensorRT.

dynamic     weights in int8, one scale a column; activations in int8, one scale a run
blockwise   weights in int8, one scale for each 64 of a column; activations block by block too
static      as dynamic, but the activations' scales are fixed beforehand on real texts (QDQ):
            the form that TensorRT takes

A few products carry activations with outliers, which one scale serves badly. Which ones is
measured: each is quantized alone, and those that turn the vectors most stay in fp32, as few as the
budget needs.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.bundle import GRAPH, MANIFEST, TOKENIZER, read_bundle, write_bundle
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.tokens import TextTokenizer, TokenBatch
from penchant.training.compress.encoder_comparison import (
    Change,
    Judge,
    check_budget,
    check_output,
    compare,
    cosines_of,
    require_within,
)

METHODS = ("dynamic", "blockwise", "static")
NOTE = "quantize.json"
BLOCK = 64
"""Weights that share a scale in `blockwise`."""
PROBED = 200
"""TextTokenizer that each product's harm is measured on."""
CALIBRATED = 256
"""TextTokenizer that the scales of `static` are fixed on."""
KEPT = (0, 1, 2, 4, 6, 8, 12)
"""How many products stay in fp32, tried in turn until the loss is within the budget."""

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Quantized:
    """What a quantization made."""

    directory: Path
    version: str
    method: str
    kept: tuple[str, ...]
    """Products that stay in fp32, the most harmful first."""
    products: int
    """All products of weights."""
    change: Change


def quantize(
    source: Path,
    output: Path,
    judge: Judge,
    method: str = "dynamic",
    max_loss: float = 0.01,
    on_step: OnStep = lambda step: None,
) -> Quantized:
    """Quantizes an encoder; an encoder that is in the output already is replaced.

    Args:
        source: an encoder as `penchant export` writes it.
        output: the directory to write.
        judge: ranks the validation part.
        method: one of `METHODS`.
        max_loss: share of NDCG@10 that may be lost, 0 to below 1.
        on_step: told what begins.

    Raises:
        ConfigError: an argument does not fit; nothing is written.
        BudgetExceeded: more is lost than may be; nothing is written.
    """
    if method not in METHODS:
        raise ConfigError(f"method: got {method!r}, expected one of: {', '.join(METHODS)}")
    check_budget(max_loss)
    check_output(output, MANIFEST, "an encoder")
    bundle = read_bundle(source)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
        work = _Work(source, Path(temporary), method, judge)
        made, change, kept = work.least_kept(max_loss, on_step)
        require_within(change, max_loss, "quantize")
        result = Quantized(
            output, read_bundle(made).version, method, kept, len(work.products), change
        )
        note = {**dataclasses.asdict(result), "directory": "", "source": bundle.version}
        (made / NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        if output.exists():
            output.replace(Path(temporary) / "replaced")
        made.replace(output)
    return result


class _Work:
    """One encoder's graph, quantized in many ways."""

    def __init__(self, source: Path, directory: Path, method: str, judge: Judge) -> None:
        self._source, self._directory, self._method, self._judge = source, directory, method, judge
        self._bundle = read_bundle(source)
        self._graph = directory / "plain.onnx"
        model = onnx.load(str(self._bundle.graph))
        del model.graph.value_info[:]  # The quantizer infers shapes itself, and trips over these.
        weights = {tensor.name for tensor in model.graph.initializer}
        onnx.save(model, str(self._graph))
        self.products = [
            node.name
            for node in model.graph.node
            if node.op_type == "MatMul" and node.input[1] in weights
        ]
        """Names of the products of weights, in the graph's order."""
        if not self.products:
            raise ConfigError(f"encoder: {source} has no product of weights that int8 could do")

    def by_harm(self) -> list[str]:
        """The products, the one first that alone turns the vectors most."""
        texts = self._judge.texts[:: -(-len(self._judge.texts) // PROBED)]
        true = self._encode(self._source, texts)
        harm = {}
        for name in self.products:
            others = [other for other in self.products if other != name]
            made = self._made("probe", others)
            harm[name] = float((1 - cosines_of(true, self._encode(made, texts))).mean())
        return sorted(self.products, key=lambda name: (-harm[name], self.products.index(name)))

    def least_kept(self, max_loss: float, on_step: OnStep) -> tuple[Path, Change, tuple[str, ...]]:
        """The graph with the fewest products in fp32 whose loss is within the budget.

        Where none is: the best that was tried. One product at least is quantized.
        """
        source = OnnxEncoder.load(self._source, threads=1)
        order: list[str] = []
        best: tuple[Path, Change, tuple[str, ...]] | None = None
        most = len(self.products) if self._method != "blockwise" else 1
        for count in (count for count in KEPT if count < most):
            if count and not order:
                on_step("Measuring each product's harm")
                order = self.by_harm()
            kept = tuple(order[:count])
            on_step(f"Measuring the loss with {count} products in fp32")
            made = self._made(f"kept-{count}", kept)
            encoder = OnnxEncoder.load(made, threads=1)
            change = compare(self._judge, (source, self._source), (encoder, made))
            if best is None or change.loss < best[1].loss:
                best = made, change, kept
            if change.loss <= max_loss:
                break
        assert best is not None
        return best

    def _made(self, name: str, kept: Sequence[str]) -> Path:
        """An encoder's directory with all products quantized but these."""
        made = self._directory / name
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        shutil.copy2(self._bundle.tokenizer, made / TOKENIZER)
        with _quiet():
            self._quantize(made / GRAPH, [one for one in self.products if one not in kept])
        onnx.checker.check_model(str(made / GRAPH))
        write_bundle(made, self._bundle.settings)
        return made

    def _quantize(self, output: Path, products: list[str]) -> None:
        common: dict[str, Any] = {
            "nodes_to_quantize": products,
            "weight_type": QuantType.QInt8,
            "per_channel": True,
        }
        if self._method == "dynamic":
            quantize_dynamic(str(self._graph), str(output), **common)
        elif self._method == "static":
            reader = _Calibration(self._bundle_batches())
            quantize_static(
                str(self._graph),
                str(output),
                reader,
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QInt8,
                extra_options={"ActivationSymmetric": True, "WeightSymmetric": True},
                **common,
            )
        else:
            model = onnx.load(str(self._graph))
            quantizer = MatMulNBitsQuantizer(
                model, block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8
            )
            quantizer.process()
            quantizer.model.save_model_to_file(str(output), use_external_data_format=False)

    def _bundle_batches(self) -> Iterator[TokenBatch]:
        texts = self._judge.texts[:: -(-len(self._judge.texts) // CALIBRATED)]
        return TextTokenizer.load(self._bundle).batches(texts)

    def _encode(self, directory: Path, texts: list[str]) -> Matrix:
        return OnnxEncoder.load(directory, threads=1).encode(texts)


@contextmanager
def _quiet() -> Iterator[None]:
    """The quantizers advise and report on the root logger; what we need of it is done here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # The library has no types.
    """Batches of real texts, as ONNX Runtime's calibrator asks for them."""

    def __init__(self, batches: Iterator[TokenBatch]) -> None:
        self._batches = batches

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        if batch is None:
            return None
        return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
