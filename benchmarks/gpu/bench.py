"""What every part of the GPU's benchmark is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.encoder.base import Encoder
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cuda import Cuda, find_cuda
from penchant.encoder.runtime import fitting_engine
from penchant.encoder.tensorrt import TensorRtEncoder
from penchant.encoder.tensorrt_bindings import find_tensorrt


class Skipped(Exception):
    """A part has nothing to run on; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class GpuBench:
    """The encoder, the GPU, and how much to measure."""

    encoder: Path
    """Directory written by `penchant export`; engines are compiled into it."""
    source: Path
    """Hugging Face directory that it was exported from, for PyTorch's figures."""
    work: Path
    """Directory for what the parts write."""
    trt: Any | None
    """TensorRT's module; None where it is not installed."""
    cuda: Cuda | None
    """The CUDA runtime; None where its bindings are not installed."""
    device: str = "cuda"
    """PyTorch's device: cuda, or cpu for a rehearsal."""
    quick: bool = False
    """Whether each measure is a few calls, to see that it runs."""

    @property
    def gpu(self) -> Cuda:
        """The CUDA runtime.

        Raises:
            Skipped: there is none, or no GPU with a driver.
        """
        if self.cuda is None:
            raise Skipped("the package cuda-bindings is not installed")
        if not self.cuda.devices():
            raise Skipped("there is no GPU with a driver")
        return self.cuda

    def loaded(self) -> LoadedEngine:
        """The engine that a server would take, or PyTorch in an engine's place.

        Raises:
            Skipped: there is no GPU, or neither TensorRT nor PyTorch runs on it.
        """
        cuda = self.gpu
        fit = fitting_engine(self.encoder, self.trt, cuda)
        if not isinstance(fit, str):
            try:
                encoder = TensorRtEncoder.load(self.encoder, fit, self.trt, cuda)
            except ConfigError as error:
                fit = str(error)
            else:
                return LoadedEngine(encoder, f"{fit.runtime} {fit.runtime_version}, {fit.name}")
        from benchmarks.gpu.torch_engine import load_stand_in

        stand_in = load_stand_in(self)
        return LoadedEngine(stand_in, "PyTorch in the engine's place", f"no engine runs: {fit}")

    @property
    def dimensions(self) -> int:
        """Length of the vectors."""
        return read_bundle(self.encoder).settings.dimensions


@dataclass(frozen=True, slots=True)
class LoadedEngine:
    """An encoder whose lanes, buffers and graphs are Penchant's own."""

    encoder: Encoder
    name: str
    """What computes."""
    why: str = ""
    """Why it is no engine of TensorRT; empty if it is one."""


@dataclass(frozen=True, slots=True)
class PartResult:
    """The outcome of a part."""

    part: str
    seconds: float
    skipped: str = ""
    """What was missing; empty if the part ran."""
    failed: str = ""
    """How it failed; empty if it did not."""
    rows: list[dict[str, object]] = field(default_factory=list)
    """Its table: a row of columns by name."""


Part = Callable[[GpuBench], list[dict[str, object]]]


def installed(encoder: Path, source: Path, work: Path, quick: bool) -> GpuBench:
    """The benchmark with the modules of this machine."""
    return GpuBench(encoder, source, work, find_tensorrt(), find_cuda(), quick=quick)
