"""An encoder that runs a TensorRT engine. Not run on a GPU yet: see docs/guides/gpu.md.

Each optimization profile has its own lane: an execution context, a stream, and buffers allocated
once. A batch is padded to the lane's token count and to a power of two of texts, so there are few
shapes, and each shape is captured as a CUDA graph on first use: copy in, run, copy out. A call then
fills pinned memory, launches a graph and waits.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from penchant.domain.arrays import Float32, Int64
from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.bundle import INPUTS, OUTPUT, Bundle, read_bundle
from penchant.encoder.cuda import Cuda, PinnedMemory
from penchant.encoder.engines import EngineNote, Profile
from penchant.encoder.onnx import unit
from penchant.encoder.tokens import TextTokenizer, TokenBatch

_LONG, _FLOAT = 8, 4
"""Bytes of an int64 and of a float32."""


class TensorRtEncoder:
    """An `Encoder` that runs a TensorRT engine; thread-safe, with one run per lane at a time."""

    def __init__(self, bundle: Bundle, tokenizer: TextTokenizer, lanes: Sequence[_Lane]) -> None:
        self._bundle = bundle
        self._tokenizer = tokenizer
        self._lanes = lanes

    @classmethod
    def load(cls, directory: Path, note: EngineNote, trt: Any, cuda: Cuda) -> TensorRtEncoder:
        """Loads an engine from an encoder's directory.

        Args:
            directory: the encoder's directory.
            note: describes the engine to load.
            trt: TensorRT's Python module.
            cuda: the CUDA runtime.

        Raises:
            ConfigError: the engine can't be loaded here.
            EncoderUnavailable: the GPU has too little memory for it.
        """
        bundle = read_bundle(directory)
        runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        engine = runtime.deserialize_cuda_engine(note.path(directory).read_bytes())
        if engine is None:
            raise ConfigError(
                f"encoder: {note.path(directory)} can't be loaded by {note.runtime} "
                f"{trt.__version__}, it was built by {note.runtime_version} for "
                f"{', '.join(note.compute_capabilities)}; compile it again here"
            )
        lanes = [
            _Lane.open(engine, place, profile, bundle.settings.dimensions, cuda)
            for place, profile in enumerate(note.profiles)
        ]
        return cls(bundle, TextTokenizer.load(bundle), lanes)

    @property
    def version(self) -> str:
        """See `Encoder.version`; the version of the graph that the engine was built from."""
        return self._bundle.version

    @property
    def dimensions(self) -> int:
        """See `Encoder.dimensions`."""
        return self._bundle.settings.dimensions

    def encode(self, texts: Sequence[str]) -> Float32:
        """See `Encoder.encode`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for batch in self._tokenizer.batches(texts):
            tokens = batch.input_ids.shape[1]
            lane = next(lane for lane in self._lanes if lane.profile.most_tokens >= tokens)
            vectors[batch.rows] = lane.run(batch, self._bundle.settings.pad_id)
        return unit(vectors)


@dataclass(slots=True)
class _Lane:
    """The context, stream and buffers of one profile."""

    profile: Profile
    dimensions: int
    cuda: Cuda
    context: Any
    stream: Any
    host: dict[str, PinnedMemory]
    device: dict[str, int]
    graphs: dict[int, Any] = field(default_factory=dict)
    """CUDA graphs by padded number of texts."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, engine: Any, place: int, profile: Profile, dimensions: int, cuda: Cuda) -> _Lane:
        """Allocates the buffers of the profile's largest shape."""
        context, stream = engine.create_execution_context(), cuda.stream()
        if context is None or not context.set_optimization_profile_async(place, int(stream)):
            raise EncoderUnavailable(f"encoder: TensorRT can't make a context for {profile}")
        longest = profile.most_texts * profile.most_tokens * _LONG
        sizes = dict.fromkeys(INPUTS, longest)
        sizes[OUTPUT] = profile.most_texts * dimensions * _FLOAT
        host = {name: cuda.pinned(size) for name, size in sizes.items()}
        device = {name: cuda.device(size) for name, size in sizes.items()}
        for name, address in device.items():
            context.set_tensor_address(name, address)
        cuda.synchronize(stream)
        return cls(profile, dimensions, cuda, context, stream, host, device)

    def run(self, batch: TokenBatch, pad_id: int) -> Float32:
        """The vectors of a batch that fits the profile, shape (n, d)."""
        count, tokens = batch.input_ids.shape
        padded = min(1 << (count - 1).bit_length(), self.profile.most_texts)
        with self.lock:
            for name, values, filler in (
                (INPUTS[0], batch.input_ids, pad_id),
                (INPUTS[1], batch.attention_mask, 0),
            ):
                shaped = self._input(name, padded)
                shaped[:] = filler
                shaped[:count, :tokens] = values
            # Mean pooling would divide a row without a token by zero.
            self._input(INPUTS[1], padded)[count:, 0] = 1
            graph = self.graphs.get(padded)
            if graph is None:
                graph = self.graphs[padded] = self._capture(padded)
            self.cuda.launch(graph, self.stream)
            self.cuda.synchronize(self.stream)
            return self._output(padded)[:count].copy()

    def _capture(self, texts: int) -> Any:
        shape = (texts, self.profile.most_tokens)
        for name in INPUTS:
            if not self.context.set_input_shape(name, shape):
                raise EncoderUnavailable(f"encoder: TensorRT refuses the shape {shape}")
        self._queue(texts)  # The first run of a shape does set-up that a capture must not hold.
        self.cuda.synchronize(self.stream)
        return self.cuda.capture(self.stream, lambda: self._queue(texts))

    def _queue(self, texts: int) -> None:
        size = texts * self.profile.most_tokens * _LONG
        for name in INPUTS:
            self.cuda.to_device(self.device[name], self.host[name].address, size, self.stream)
        if not self.context.execute_async_v3(int(self.stream)):
            raise EncoderUnavailable("encoder: TensorRT could not run the engine")
        size = texts * self.dimensions * _FLOAT
        self.cuda.to_host(self.host[OUTPUT].address, self.device[OUTPUT], size, self.stream)

    def _input(self, name: str, texts: int) -> Int64:
        count = texts * self.profile.most_tokens
        return self.host[name].array[: count * _LONG].view(np.int64).reshape(texts, -1)

    def _output(self, texts: int) -> Float32:
        count = texts * self.dimensions
        return self.host[OUTPUT].array[: count * _FLOAT].view(np.float32).reshape(texts, -1)
