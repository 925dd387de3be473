"""Conversion of a graph to fp16; sums, normalization and pooling stay in fp32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import OUTPUT, Bundle
from penchant.encoder.tokens import TextTokenizer

IN_FP32 = ["LayerNormalization", "Softmax", "ReduceL2", "ReduceSum", "ReduceMean", "Clip"]
"""Operators whose sums lose too much in fp16."""
LEAST_COSINE = 0.999
"""Smallest accepted cosine between a text's vectors in fp16 and in fp32."""


def to_fp16(graph: Path, output: Path) -> None:
    """Writes a graph with fp16 weights and products; inputs and output keep their types."""
    converted = convert_float_to_float16(
        onnx.load(str(graph)), keep_io_types=True, op_block_list=IN_FP32
    )
    _drop_repeated_nodes(converted.graph)
    model = OnnxModel(converted)
    model.topological_sort()  # The converter leaves its casts at the end.
    del model.model.graph.value_info[:]  # The old types; the checker infers the new ones.
    onnx.save(model.model, str(output))
    onnx.checker.check_model(str(output), full_check=True)


def _drop_repeated_nodes(graph: Any) -> None:
    """Keeps the first of several nodes that write one value.

    The converter of older ONNX Runtimes, 1.30 among them, adds the same cast once for each place
    that reads its result.
    """
    written: set[str] = set()
    kept = []
    for node in graph.node:
        if not written.intersection(node.output):
            kept.append(node)
        written.update(node.output)
    del graph.node[:]
    graph.node.extend(kept)


def require_alike(bundle: Bundle, fp16: Path, texts: list[str]) -> float:
    """Compares an encoder's graph with its fp16 copy, by ONNX Runtime on the CPU.

    Args:
        bundle: the encoder in fp32.
        fp16: path of the converted graph.
        texts: texts to encode by both.

    Returns:
        The smallest cosine between a text's two vectors.

    Raises:
        ConfigError: it is below `LEAST_COSINE`.
    """
    tokens, sessions = TextTokenizer.load(bundle), [_session(bundle.graph), _session(fp16)]
    least = 1.0
    for batch in tokens.batches(texts):
        feed = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        full, short = (np.asarray(session.run([OUTPUT], feed)[0]) for session in sessions)
        norms = np.linalg.norm(full, axis=1) * np.linalg.norm(short, axis=1)
        least = min(least, float(((full * short).sum(axis=1) / norms).min()))
    if not least >= LEAST_COSINE:
        raise ConfigError(
            f"precision: a text's vectors in fp16 and fp32 have a cosine of {least:.4f}, expected "
            f"at least {LEAST_COSINE}; compile this encoder with --precision fp32"
        )
    return least


def _session(graph: Path) -> Any:
    return ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
