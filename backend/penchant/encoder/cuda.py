"""The little of CUDA that the encoder needs, each call checked. Not run on a GPU yet."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import EncoderUnavailable

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Pinned:
    """Host memory that the GPU reads and writes by itself."""

    address: int
    array: Bytes
    """The same memory, shape (bytes,)."""


class Cuda:
    """Calls of the CUDA runtime; every failure is EncoderUnavailable."""

    def __init__(self, runtime: Any) -> None:
        """Takes the module `cuda.bindings.runtime`, or a double of it."""
        self._runtime = runtime

    def devices(self) -> int:
        """How many GPUs there are; 0 where there is no driver."""
        status, count = self._runtime.cudaGetDeviceCount()
        return 0 if int(status) else int(count)

    def compute_capability(self) -> str:
        """Of the first GPU, as `8.9`."""
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
        """A new stream."""
        return self._call("cudaStreamCreate")

    def pinned(self, size: int) -> Pinned:
        """Pinned host memory, in bytes; kept for as long as the process lives."""
        address = int(self._call("cudaMallocHost", size))
        memory = (ctypes.c_uint8 * size).from_address(address)
        return Pinned(address, np.ctypeslib.as_array(memory))

    def device(self, size: int) -> int:
        """The address of device memory, in bytes."""
        return int(self._call("cudaMalloc", size))

    def to_device(self, device: int, host: int, size: int, stream: Any) -> None:
        """Queues a copy."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", device, host, size, kind, stream)

    def to_host(self, host: int, device: int, size: int, stream: Any) -> None:
        """Queues a copy."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host, device, size, kind, stream)

    def synchronize(self, stream: Any) -> None:
        """Waits for all that was queued."""
        self._call("cudaStreamSynchronize", stream)

    def capture(self, stream: Any, work: Callable[[], None]) -> Any:
        """What the work queues, as a graph that can be launched again and again."""
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
    """CUDA, where its bindings are installed; None: they are not."""
    try:
        return Cuda(importlib.import_module("cuda.bindings.runtime"))
    except ImportError:
        return None
