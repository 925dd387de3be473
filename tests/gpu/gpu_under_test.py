# ruff: noqa: N815  The names are CUDA's.
"""One face for a real GPU and for its doubles, so that both obey one set of laws."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from benchmarks.gpu.bench import GpuBench
from penchant.domain.arrays import Float32
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cuda import Cuda
from penchant.encoder.engines import EngineNote, Profile, write_note
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.runtime import FallbackEncoder
from penchant.encoder.tensorrt import TensorRtEncoder
from tests.support.fake_gpu import FakeRuntime, FakeTensorRt, engine_file
from tests.support.word_encoder import write_word_encoder

_MIB = 1 << 20


class Injected(IntEnum):
    """Errors that a runtime is made to return; their names are CUDA's."""

    cudaErrorMemoryAllocation = 2
    cudaErrorIllegalAddress = 700


class FaultyRuntime:
    """A CUDA runtime whose named calls fail for as long as they stand in `failing`."""

    def __init__(self, runtime: Any) -> None:
        self.real = runtime
        self.failing: dict[str, Injected] = {}

    def __getattr__(self, name: str) -> Any:
        if name in self.failing:
            return lambda *arguments: (self.failing[name],)
        return getattr(self.real, name)


class DoubledGpu:
    """Doubles: an engine that is ONNX Runtime, over memory of the CPU."""

    tolerance = 0.0
    """Largest difference of a value to ONNX Runtime's on the CPU."""

    def __init__(self, work: Path) -> None:
        words = [f"word{number}" for number in range(60)]
        self.texts = [" ".join(words[: 1 + 7 * n % 60]) for n in range(70)]
        self.directory = write_word_encoder(work / "words", self.texts, dimensions=12, seed=3)
        graph = read_bundle(self.directory).graph
        profiles = (Profile(64, 8, 8, 8), Profile(64, 8, 64, 64))
        sha256 = hashlib.sha256(graph.read_bytes()).hexdigest()
        self._note = EngineNote(
            "doubled", "tensorrt-rtx", "1.7", ("8.9",), "fp16", profiles, sha256, "", 6
        )
        engine_file(self.directory, self._note)
        write_note(self.directory, self._note)
        self._fake = FakeRuntime()
        self.runtime = FaultyRuntime(self._fake)
        self._trt = FakeTensorRt(graph, 12, self._fake)
        self._cpu = OnnxEncoder.load(self.directory, threads=1)

    def load(self) -> TensorRtEncoder:
        return TensorRtEncoder.load(self.directory, self._note, self._trt, Cuda(self.runtime))

    def reference(self, texts: Sequence[str]) -> Float32:
        return self._cpu.encode(texts)

    def allocated(self) -> int:
        return len(self._fake.allocated)

    @contextmanager
    def exhausted(self) -> Iterator[None]:
        self.runtime.failing["cudaMalloc"] = Injected.cudaErrorMemoryAllocation
        try:
            yield
        finally:
            del self.runtime.failing["cudaMalloc"]


class RealGpu:
    """The machine's GPU, with a TensorRT engine, or PyTorch in its place."""

    tolerance = 5e-3

    def __init__(self, bench: GpuBench) -> None:
        from benchmarks.gpu.vector_agreement import catalog_texts

        cuda = bench.gpu
        self.runtime = FaultyRuntime(cuda._runtime)
        self._bench = replace(bench, cuda=Cuda(self.runtime))
        self.directory = bench.encoder
        lengths = [" ".join(["film"] * count) for count in range(1, 127, 9)]
        self.texts = [*lengths, *catalog_texts(60)]
        self._cpu = OnnxEncoder.load(bench.encoder, threads=4)

    def load(self) -> TensorRtEncoder:
        encoder = self._bench.loaded().encoder
        assert isinstance(encoder, TensorRtEncoder)
        return encoder

    def reference(self, texts: Sequence[str]) -> Float32:
        return self._cpu.encode(texts)

    def allocated(self) -> int:
        status, free, total = self.runtime.real.cudaMemGetInfo()
        assert not int(status)
        return int(total - free)

    @contextmanager
    def exhausted(self) -> Iterator[None]:
        """Takes the GPU's memory in ever smaller blocks, and gives it back."""
        blocks, size = [], 1 << 36
        while size >= _MIB:
            status, address = self.runtime.real.cudaMalloc(size)
            if int(status):
                size //= 2
            else:
                blocks.append(address)
        try:
            yield
        finally:
            for address in blocks:
                self.runtime.real.cudaFree(address)


GpuUnderTest = DoubledGpu | RealGpu
"""What the laws ask of either: texts of 1 token up to the limit, a runtime whose calls can be made
to fail, the encoder loaded anew, ONNX Runtime's vectors, the memory in use, memory used up."""


def with_fallback(gpu: GpuUnderTest) -> FallbackEncoder:
    """The encoder as a server holds it: ONNX Runtime takes over if the GPU fails."""
    return FallbackEncoder(gpu.load(), lambda: OnnxEncoder.load(gpu.directory, threads=1))
