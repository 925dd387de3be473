"""Chooses the runtime of an encoder on this machine, and says why."""

from __future__ import annotations

import logging
import shlex
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.domain.types import Matrix
from penchant.encoder.base import RUNTIMES, Encoder
from penchant.encoder.bundle import read_bundle, sha256_of
from penchant.encoder.cuda import Cuda, find_cuda
from penchant.encoder.engines import EngineNote, read_notes
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.tensorrt import TensorRtEncoder
from penchant.encoder.tensorrt_bindings import find_tensorrt, runtime_name

log = logging.getLogger("penchant")


def load_encoder(
    directory: Path,
    runtime: str = "auto",
    *,
    threads: int = 1,
    fallback: bool = True,
    find: Callable[[], tuple[Any | None, Cuda | None]] = lambda: (find_tensorrt(), find_cuda()),
) -> tuple[Encoder, str]:
    """Loads an encoder on the best runtime that can run it here.

    Args:
        directory: written by `penchant export`, with any engines from `penchant compile`.
        runtime: `tensorrt`, `onnxruntime`, or `auto`: TensorRT where it can run.
        threads: number of ONNX Runtime's threads, at least 1.
        fallback: whether ONNX Runtime takes over if the GPU fails later.
        find: returns TensorRT's module and CUDA, None for either if not installed.

    Returns:
        The encoder, and the reason for its runtime in a few words.

    Raises:
        ConfigError: the directory is incomplete, or the required runtime can't run it.
    """
    if runtime not in RUNTIMES:
        expected = ", ".join(RUNTIMES)
        raise ConfigError(f"encoder_runtime: got {runtime!r}, expected one of: {expected}")

    def onnx() -> Encoder:
        return OnnxEncoder.load(directory, threads=threads)

    if runtime == "onnxruntime":
        return onnx(), "onnxruntime, as configured"
    trt, cuda = find()
    fit = fitting_engine(directory, trt, cuda)
    if isinstance(fit, str):
        if runtime == "tensorrt":
            raise ConfigError(f"encoder_runtime: got tensorrt, but {fit}")
        return onnx(), f"onnxruntime, since {fit}"
    assert cuda is not None
    try:
        encoder: Encoder = TensorRtEncoder.load(directory, fit, trt, cuda)
    except (ConfigError, EncoderUnavailable) as error:
        # A GPU whose memory others hold, or an engine that its driver refuses, is no reason for a
        # server not to start.
        if runtime == "tensorrt":
            raise ConfigError(f"encoder_runtime: got tensorrt, but {error}") from error
        return onnx(), f"onnxruntime, since {error}"
    if fallback:
        encoder = FallbackEncoder(encoder, onnx)
    return encoder, f"tensorrt, engine {fit.name} on compute capability {cuda.compute_capability()}"


def fitting_engine(directory: Path, trt: Any | None, cuda: Cuda | None) -> EngineNote | str:
    """An engine that can run here, fp16 preferred; otherwise the reason why none can."""
    if trt is None:
        return "TensorRT is not installed (`pip install 'penchant[tensorrt]'`)"
    if cuda is None or not cuda.devices():
        return "there is no GPU with a driver"
    here, name = cuda.compute_capability(), runtime_name(trt)
    graph = sha256_of(read_bundle(directory).graph)
    notes = [note for note in read_notes(directory) if note.graph_sha256 == graph]
    if not notes:
        build = f"penchant compile --source {shlex.quote(str(directory))}"
        return f"no engine was built from this graph (`{build}`)"
    for note in sorted(notes, key=lambda note: note.precision != "fp16"):
        built_for = note.compute_capabilities or (here,)
        if note.runtime == name and here in built_for:
            return note
    found = "; ".join(f"{n.runtime} for {', '.join(n.compute_capabilities)}" for n in notes)
    return f"no engine is for {name} on compute capability {here}, only: {found}"


class FallbackEncoder:
    """Switches permanently to a second encoder of the same version when the first one fails."""

    def __init__(self, first: Encoder, make_second: Callable[[], Encoder]) -> None:
        """Starts with the first encoder.

        Args:
            first: encodes until it raises EncoderUnavailable.
            make_second: makes its replacement, at most once.
        """
        self._encoder = first
        self._make_second: Callable[[], Encoder] | None = make_second
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        """See `Encoder.version`."""
        return self._encoder.version

    @property
    def dimensions(self) -> int:
        """See `Encoder.dimensions`."""
        return self._encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Matrix:
        """See `Encoder.encode`."""
        encoder = self._encoder
        try:
            return encoder.encode(texts)
        except EncoderUnavailable as error:
            with self._lock:
                if self._encoder is encoder:
                    if self._make_second is None:
                        raise
                    log.error("%s; continuing on ONNX Runtime on the CPU", error)
                    self._encoder, self._make_second = self._make_second(), None
            return self._encoder.encode(texts)
