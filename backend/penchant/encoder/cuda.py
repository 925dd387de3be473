"""The few CUDA calls the encoder needs, each one checked. Not run on a GPU yet."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import EncoderUnavailable


@dataclass(frozen=True, slots=True)
class PinnedMemory:
    """Page-locked host memory, which the GPU accesses directly."""

    address: int
    array: NDArray[np.uint8]
    """The same memory, shape (bytes,)."""


class Cuda:
    """The CUDA runtime; every failed call raises EncoderUnavailable."""

    def __init__(self, runtime: Any) -> None:
        """Wraps the module `cuda.bindings.runtime`, or a test double of it."""
        self._runtime = runtime

    def devices(self) -> int:
        """Number of GPUs; 0 without a driver."""
        status, count = self._runtime.cudaGetDeviceCount()
        return 0 if int(status) else int(count)

    def compute_capability(self) -> str:
        """Compute capability of the first GPU, such as `8.9`."""
        kinds = self._runtime.cudaDeviceAttr
        parts = [
            self._call("cudaDeviceGetAttribute", kind, 0)
            for kind in (
                kinds.cudaDevAttrComputeCapabilityMajor,
                kinds.cudaDevAttrComputeCapabilityMinor,
            )
        ]
        return f"{parts[0]}.{parts[1]}"

    def stream(self) -> Any:
        """Creates a stream."""
        return self._call("cudaStreamCreate")

    def pinned(self, size: int) -> PinnedMemory:
        """Allocates `size` bytes of pinned host memory, kept for the life of the process."""
        address = int(self._call("cudaMallocHost", size))
        memory = (ctypes.c_uint8 * size).from_address(address)
        return PinnedMemory(address, np.ctypeslib.as_array(memory))

    def device(self, size: int) -> int:
        """Allocates `size` bytes of device memory and returns its address."""
        return int(self._call("cudaMalloc", size))

    def to_device(self, device: int, host: int, size: int, stream: Any) -> None:
        """Queues a copy of `size` bytes from host to device."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", device, host, size, kind, stream)

    def to_host(self, host: int, device: int, size: int, stream: Any) -> None:
        """Queues a copy of `size` bytes from device to host."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host, device, size, kind, stream)

    def synchronize(self, stream: Any) -> None:
        """Waits for everything queued on a stream."""
        self._call("cudaStreamSynchronize", stream)

    def capture(self, stream: Any, work: Callable[[], None]) -> Any:
        """Records the work that a function queues, as a graph that can be launched repeatedly."""
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)
        try:
            work()
        finally:
            graph = self._call("cudaStreamEndCapture", stream)
        return self._call("cudaGraphInstantiate", graph, 0)

    def launch(self, graph: Any, stream: Any) -> None:
        """Queues a graph."""
        self._call("cudaGraphLaunch", graph, stream)

    def _call(self, name: str, *arguments: Any) -> Any:
        status, *results = getattr(self._runtime, name)(*arguments)
        if int(status):
            raise EncoderUnavailable(f"encoder: CUDA failed in {name}: {status.name}")
        return results[0] if results else None


def find_cuda() -> Cuda | None:
    """The CUDA runtime; None where its bindings are not installed."""
    try:
        return Cuda(importlib.import_module("cuda.bindings.runtime"))
    except ImportError:
        return None
