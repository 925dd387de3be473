"""An encoder that runs on ONNX Runtime, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from penchant.domain.arrays import Float32
from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.bundle import INPUTS, OUTPUT, Bundle, read_bundle
from penchant.encoder.tokens import TextTokenizer

UNIT_TOLERANCE = 1e-3
"""Largest deviation of a norm from 1 that float32 rounding explains."""
ERRORS_ONLY = 3
"""Log level of ONNX Runtime."""


class _Node(Protocol):
    name: str
    type: str
    shape: list[int | str | None]


class _Session(Protocol):
    """The used part of `onnxruntime.InferenceSession`; the package has no type annotations."""

    def get_inputs(self) -> list[_Node]: ...

    def get_outputs(self) -> list[_Node]: ...

    def run(self, names: list[str], feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]: ...


class OnnxEncoder:
    """An `Encoder` that runs an exported graph in this process.

    Keeps no state between calls; safe to share between threads.
    """

    def __init__(self, bundle: Bundle, tokenizer: TextTokenizer, session: _Session) -> None:
        self._bundle = bundle
        self._tokenizer = tokenizer
        self._session = session

    @classmethod
    def load(cls, directory: Path, *, threads: int) -> OnnxEncoder:
        """Reads and checks a directory written by `penchant export`.

        Args:
            directory: holds encoder.onnx, tokenizer.json and encoder.json.
            threads: number of threads for one run of the graph, at least 1.

        Raises:
            ConfigError: a file is missing, unreadable or differs from the exported one, or
                `threads` is below 1.
        """
        if threads < 1:
            raise ConfigError(f"encoder_threads: got {threads}, expected at least 1")
        bundle = read_bundle(directory)
        session = _open(bundle.graph, threads)
        _check(bundle, session)
        return cls(bundle, TextTokenizer.load(bundle), session)

    @property
    def version(self) -> str:
        """See `Encoder.version`."""
        return self._bundle.version

    @property
    def dimensions(self) -> int:
        """See `Encoder.dimensions`."""
        return self._bundle.settings.dimensions

    def encode(self, texts: Sequence[str]) -> Float32:
        """See `Encoder.encode`.

        Raises:
            EncoderUnavailable: the graph failed, or gave a value that is not finite.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for batch in self._tokenizer.batches(texts):
            feed = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
            try:
                vectors[batch.rows] = self._session.run([OUTPUT], feed)[0]
            except Exception as error:  # the library's errors share no other base
                raise EncoderUnavailable("encoder: ONNX Runtime failed") from error
        return unit(vectors)


def _open(graph: Path, threads: int) -> _Session:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = ERRORS_ONLY
    # Threads that spin while waiting would take cores from Triton's other models.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library's errors share no other base
        raise ConfigError(f"encoder: {graph} can't be loaded: {error}") from error
    return cast(_Session, session)


def _check(bundle: Bundle, session: _Session) -> None:
    inputs = sorted((node.name, node.type) for node in session.get_inputs())
    outputs = [(node.name, node.type, node.shape[-1]) for node in session.get_outputs()]
    expected = [(OUTPUT, "tensor(float)", bundle.settings.dimensions)]
    if inputs != sorted((name, "tensor(int64)") for name in INPUTS) or outputs != expected:
        raise ConfigError(
            f"encoder: {bundle.graph} takes {inputs} and gives {outputs}, "
            f"expected int64 {' and '.join(INPUTS)}, and {expected}"
        )


def unit(vectors: Float32) -> Float32:
    """Normalizes rows in place where they deviate from norm 1; a row of zeros gets the first axis.

    Args:
        vectors: shape (n, d).

    Raises:
        EncoderUnavailable: a value is not finite.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all():
        raise EncoderUnavailable("encoder: the graph gave a value that is not finite")
    if (np.abs(norms - 1) > UNIT_TOLERANCE).any():
        vectors[norms[:, 0] == 0, 0] = 1.0
        vectors /= np.where(norms == 0, 1, norms)
    return vectors
