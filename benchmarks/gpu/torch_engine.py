"""PyTorch behind the calls of a TensorRT engine, for GPUs that no engine can be built for.

Penchant's own part, which is under test, stays as it is: contexts, streams, pinned memory, copies
and CUDA graphs. Only the work between the copies is PyTorch's, in half precision.
"""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.gpu.bench import GpuBench, Skipped
from penchant.encoder.bundle import INPUTS, OUTPUT, read_bundle, sha256_of
from penchant.encoder.engines import EngineNote, Profile, write_note
from penchant.encoder.tensorrt import TensorRtEncoder

PROFILES = tuple(Profile(64, 8, tokens, tokens) for tokens in (16, 32, 128))
NAME = "pytorch-stand-in"


def load_stand_in(bench: GpuBench) -> TensorRtEncoder:
    """An encoder of Penchant's whose engine is PyTorch.

    Raises:
        Skipped: PyTorch is not installed, or sees no GPU.
    """
    directory = bench.work / "stand-in"
    if not directory.exists():
        ignored = shutil.ignore_patterns("engines")
        shutil.copytree(bench.encoder, directory, ignore=ignored)
    note = EngineNote(
        name=NAME,
        runtime=NAME,
        runtime_version="",
        compute_capabilities=(),
        precision="fp16",
        profiles=PROFILES,
        graph_sha256=sha256_of(read_bundle(directory).graph),
        engine_sha256="",
        size_bytes=0,
    )
    note.path(directory).parent.mkdir(exist_ok=True)
    note.path(directory).write_bytes(b"")
    write_note(directory, note)
    module = TorchModule(bench.source, bench.dimensions, bench.device)
    return TensorRtEncoder.load(directory, note, module, bench.gpu)


def torch_model(source: Path, dimensions: int, device: str) -> Any:
    """The encoder in PyTorch on a device: half precision on a GPU, fp32 on a CPU.

    Raises:
        Skipped: PyTorch is not installed, or sees no GPU.
    """
    try:
        import torch
    except ImportError:
        raise Skipped("PyTorch is not installed") from None
    if device == "cuda" and not torch.cuda.is_available():
        raise Skipped("PyTorch sees no GPU")
    from penchant.training.library_output import quiet_transformers
    from penchant.training.pytorch_encoder import read_source

    with quiet_transformers():
        model, _, _ = read_source(source, dimensions, "truncate", PROFILES[-1].most_tokens)
    return model.to(device=device, dtype=torch.float16 if device == "cuda" else torch.float32)


class TorchModule:
    """In place of TensorRT's module: deserializes any bytes to the PyTorch encoder."""

    __name__ = NAME
    __version__ = ""

    class Logger:
        """In place of TensorRT's logger."""

        ERROR = 1

        def __init__(self, least: int) -> None:
            pass

    def __init__(self, source: Path, dimensions: int, device: str) -> None:
        model = torch_model(source, dimensions, device)

        class Runtime:
            """In place of TensorRT's runtime."""

            def __init__(self, logger: object) -> None:
                pass

            def deserialize_cuda_engine(self, content: bytes) -> TorchEngine:
                """The engine; its content is the model."""
                return TorchEngine(lambda: TorchContext(model, dimensions, device))

        self.Runtime = Runtime


@dataclass(frozen=True, slots=True)
class TorchEngine:
    """In place of `ICudaEngine`."""

    create_execution_context: Callable[[], TorchContext]


class TorchContext:
    """In place of `IExecutionContext`: reads and writes memory by the addresses it received."""

    def __init__(self, model: Any, dimensions: int, device: str) -> None:
        self._model, self._dimensions, self._device = model, dimensions, device
        self._address: dict[str, int] = {}
        self._shape: dict[str, tuple[int, ...]] = {}

    def set_optimization_profile_async(self, place: int, stream: int) -> bool:
        """Accepts any profile."""
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        """Remembers where a tensor lies."""
        self._address[name] = address
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Remembers an input's shape."""
        self._shape[name] = shape
        return True

    def execute_async_v3(self, stream: int) -> bool:
        """Queues the model on a stream; inside a capture, its kernels become part of the graph."""
        import torch

        with torch.inference_mode(), self._on(stream):
            ids, mask = (
                tensor_at(self._address[name], self._shape[name], "<i8", self._device)
                for name in INPUTS
            )
            shape = (self._shape[INPUTS[0]][0], self._dimensions)
            output = tensor_at(self._address[OUTPUT], shape, "<f4", self._device)
            output.copy_(self._model(ids, mask))
        return True

    def _on(self, stream: int) -> AbstractContextManager[Any]:
        if self._device == "cpu":
            return nullcontext()
        import torch

        cuda: Any = torch.cuda
        on: AbstractContextManager[Any] = cuda.stream(cuda.ExternalStream(stream))
        return on


def tensor_at(address: int, shape: tuple[int, ...], kind: str, device: str) -> Any:
    """A tensor over memory at an address, without a copy.

    Args:
        address: of memory of the device, kept by the caller.
        shape: sizes.
        kind: NumPy's name of the type.
        device: cuda or cpu.
    """
    import torch

    if device == "cpu":
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        memory = (ctypes.c_uint8 * size).from_address(address)
        array = np.ctypeslib.as_array(memory).view(kind).reshape(shape)
        return torch.from_numpy(array)
    return torch.as_tensor(_Placed(address, shape, kind), device="cuda")


class _Placed:
    """Memory of the GPU in the form that libraries exchange."""

    def __init__(self, address: int, shape: tuple[int, ...], kind: str) -> None:
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": kind,
            "data": (address, False),
            "strides": None,
            "version": 3,
        }
