# ruff: noqa: N801, N802, N815  The names are CUDA's.
"""A GPU's worth of objects that work on the CPU: memory by address, graphs that replay, an engine
that is ONNX Runtime.

A test checks that each name of a double exists in the real module, with as many parameters.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from penchant.encoder.bundle import INPUTS, OUTPUT
from penchant.encoder.engines import EngineNote


class Status(IntEnum):
    cudaSuccess = 0
    cudaErrorMemoryAllocation = 2
    cudaErrorIllegalAddress = 700


class FakeRuntime:
    """The part of `cuda.bindings.runtime` that is used."""

    class cudaMemcpyKind(IntEnum):
        cudaMemcpyHostToDevice = 1
        cudaMemcpyDeviceToHost = 2

    class cudaStreamCaptureMode(IntEnum):
        cudaStreamCaptureModeThreadLocal = 1

    class cudaDeviceAttr(IntEnum):
        cudaDevAttrComputeCapabilityMajor = 75
        cudaDevAttrComputeCapabilityMinor = 76

    def __init__(self, capability: str = "8.9", devices: int = 1) -> None:
        self.capability, self.count = capability, devices
        self.memory: dict[int, Any] = {}
        self.allocated: list[int] = []
        self.captured: list[Callable[[], None]] | None = None
        self.launches = 0
        self.broken = False
        self.full = False

    def _queue(self, work: Callable[[], None]) -> tuple[Status]:
        if self.broken:
            return (Status.cudaErrorIllegalAddress,)
        if self.captured is not None:
            self.captured.append(work)
        else:
            work()
        return (Status.cudaSuccess,)

    def cudaGetDeviceCount(self) -> tuple[Status, int]:
        return Status.cudaSuccess, self.count

    def cudaDeviceGetAttribute(self, attr: int, device: int) -> tuple[Status, int]:
        major, minor = self.capability.split(".")
        wanted = self.cudaDeviceAttr.cudaDevAttrComputeCapabilityMajor
        return Status.cudaSuccess, int(major if attr == wanted else minor)

    def cudaStreamCreate(self) -> tuple[Status, int]:
        return Status.cudaSuccess, 7

    def cudaMallocHost(self, size: int) -> tuple[Status, int]:
        return self.cudaMalloc(size)

    def cudaMalloc(self, size: int) -> tuple[Status, int]:
        if self.full:
            return Status.cudaErrorMemoryAllocation, 0
        block = (ctypes.c_uint8 * size)()
        address = ctypes.addressof(block)
        self.memory[address] = block
        self.allocated.append(size)
        return Status.cudaSuccess, address

    def cudaMemcpyAsync(
        self, dst: int, src: int, count: int, kind: int, stream: int
    ) -> tuple[Status]:
        def copy() -> None:
            ctypes.memmove(dst, src, count)

        return self._queue(copy)

    def cudaStreamSynchronize(self, stream: int) -> tuple[Status]:
        return (Status.cudaErrorIllegalAddress if self.broken else Status.cudaSuccess,)

    def cudaStreamBeginCapture(self, stream: int, mode: int) -> tuple[Status]:
        self.captured = []
        return (Status.cudaSuccess,)

    def cudaStreamEndCapture(self, stream: int) -> tuple[Status, list[Callable[[], None]]]:
        work, self.captured = self.captured or [], None
        return Status.cudaSuccess, work

    def cudaGraphInstantiate(self, graph: list[Any], flags: int) -> tuple[Status, list[Any]]:
        return Status.cudaSuccess, graph

    def cudaGraphLaunch(self, graphExec: list[Any], stream: int) -> tuple[Status]:
        if self.broken:
            return (Status.cudaErrorIllegalAddress,)
        self.launches += 1
        for work in graphExec:
            work()
        return (Status.cudaSuccess,)


class FakeContext:
    """`IExecutionContext`: reads and writes memory by the addresses it received."""

    def __init__(self, session: Any, runtime: FakeRuntime, dimensions: int) -> None:
        self._session, self._runtime, self._dimensions = session, runtime, dimensions
        self._address: dict[str, int] = {}
        self._shape: dict[str, tuple[int, ...]] = {}
        self.profile = -1

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        self.profile = profile_index
        return True

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._address[name] = memory
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._shape[name] = shape
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        shapes = dict(self._shape)
        return self._runtime._queue(lambda: self._run(shapes)) == (Status.cudaSuccess,)

    def _run(self, shapes: dict[str, tuple[int, ...]]) -> None:
        feed = {}
        for name in INPUTS:
            count = int(np.prod(shapes[name]))
            memory = (ctypes.c_int64 * count).from_address(self._address[name])
            feed[name] = np.ctypeslib.as_array(memory).reshape(shapes[name]).copy()
        vectors = self._session.run([OUTPUT], feed)[0]
        ctypes.memmove(self._address[OUTPUT], vectors.ctypes.data, vectors.nbytes)


class FakeEngine:
    """`ICudaEngine`."""

    def __init__(self, context: Callable[[], FakeContext]) -> None:
        self._context = context
        self.contexts: list[FakeContext] = []

    def create_execution_context(self) -> FakeContext:
        self.contexts.append(self._context())
        return self.contexts[-1]


class FakeTensorRt:
    """The module, for one encoder; ONNX Runtime runs the graph in place of an engine."""

    __name__ = "tensorrt_rtx_bindings"
    __version__ = "1.7.1.116"

    class Logger:
        ERROR = 1

        def __init__(self, min_severity: int) -> None:
            pass

    def __init__(self, graph: Path, dimensions: int, runtime: FakeRuntime) -> None:
        session = ort.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
        self.engine = FakeEngine(lambda: FakeContext(session, runtime, dimensions))
        self.refuses = False
        outer = self

        class Runtime:
            def __init__(self, logger: object) -> None:
                pass

            def deserialize_cuda_engine(self, serialized_engine: bytes) -> FakeEngine | None:
                return None if outer.refuses else outer.engine

        self.Runtime = Runtime


def engine_file(directory: Path, note: EngineNote) -> None:
    """A file in place of an engine."""
    note.path(directory).parent.mkdir(exist_ok=True)
    note.path(directory).write_bytes(b"engine")
