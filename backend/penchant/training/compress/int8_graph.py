"""An encoder's graph in int8, for ONNX Runtime on a CPU or for TensorRT.

dynamic     int8 weights with one scale per column; int8 activations with one scale per run
blockwise   int8 weights with one scale per 64 values of a column; activations by block too
static      as dynamic, but with activation scales fixed beforehand on real texts (QDQ), the form
            that TensorRT takes
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from penchant.encoder.bundle import GRAPH, TOKENIZER, Bundle, write_bundle
from penchant.encoder.tokens import TextTokenizer, TokenBatch

BLOCK = 64
"""Weights per scale in `blockwise`."""
CALIBRATED = 256
"""Number of texts that fix the scales of `static`."""


class GraphQuantizer:
    """Writes copies of one encoder, each with other matrix products in int8."""

    def __init__(self, bundle: Bundle, method: str, texts: Sequence[str], directory: Path) -> None:
        """Reads an encoder's graph.

        Args:
            bundle: the encoder, in fp32.
            method: `dynamic`, `blockwise` or `static`.
            texts: real texts, some of which calibrate `static`.
            directory: directory for the copies.

        Raises:
            ConfigError: the graph has no matrix product that int8 could do.
        """
        self._bundle, self._method, self._texts, self._directory = bundle, method, texts, directory
        self._graph = directory / "plain.onnx"
        model = onnx.load(str(bundle.graph))
        del model.graph.value_info[:]  # The quantizer infers shapes itself, and trips over these.
        weights = {tensor.name for tensor in model.graph.initializer}
        onnx.save(model, str(self._graph))
        self.products = [
            node.name
            for node in model.graph.node
            if node.op_type == "MatMul" and node.input[1] in weights
        ]
        """Names of the matrix products with weights, in the order of the graph."""
        if not self.products:
            raise ConfigError(
                f"encoder: {bundle.directory} has no product of weights that int8 could do"
            )

    @property
    def source(self) -> Path:
        """Directory of the encoder in fp32."""
        return self._bundle.directory

    @property
    def takes_some_products(self) -> bool:
        """Whether products can be left in fp32; `blockwise` quantizes all."""
        return self._method != "blockwise"

    def write(self, name: str, kept: Sequence[str]) -> Path:
        """Writes a copy with all products in int8 except these, and returns its directory.

        Args:
            name: name of the directory; an earlier copy of that name is replaced.
            kept: names of products that stay in fp32.
        """
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
        shared: dict[str, Any] = {
            "nodes_to_quantize": products,
            "weight_type": QuantType.QInt8,
            "per_channel": True,
        }
        if self._method == "dynamic":
            quantize_dynamic(str(self._graph), str(output), **shared)
        elif self._method == "static":
            quantize_static(
                str(self._graph),
                str(output),
                _Calibration(self._calibration_batches()),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QInt8,
                extra_options={"ActivationSymmetric": True, "WeightSymmetric": True},
                **shared,
            )
        else:
            model = onnx.load(str(self._graph))
            quantizer = MatMulNBitsQuantizer(
                model, block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8
            )
            quantizer.process()
            quantizer.model.save_model_to_file(str(output), use_external_data_format=False)

    def _calibration_batches(self) -> Iterator[TokenBatch]:
        texts = self._texts[:: -(-len(self._texts) // CALIBRATED)]
        return TextTokenizer.load(self._bundle).batches(texts)


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the quantizers' messages on the root logger, which a user can do nothing about."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class _Calibration(CalibrationDataReader):  # type: ignore[misc]  # The library has no types.
    """Feeds batches of real texts to ONNX Runtime's calibrator."""

    def __init__(self, batches: Iterator[TokenBatch]) -> None:
        self._batches = batches

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        if batch is None:
            return None
        return {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
