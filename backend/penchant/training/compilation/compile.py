"""Compilation of an encoder's graph into a TensorRT engine: parse, set profiles, build, note."""

from __future__ import annotations

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import INPUTS, Bundle, read_bundle, sha256_of
from penchant.encoder.engines import EngineNote, Profile, write_note
from penchant.encoder.tensorrt_bindings import require_tensorrt, runtime_name
from penchant.system.durable_file import write_whole
from penchant.system.optional_package import needs_extra
from penchant.training.comparison_texts import comparison_texts
from penchant.training.compilation.network import NetworkReport, parse, quiet_logger, report_of

PRECISIONS = ("fp32", "fp16", "graph")


def _numbers(_type: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    text = tokens[0].value
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ConfigError(f"--tokens: got {text!r}, expected numbers, as in 16,32,128") from None


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """A compilation: the encoder, the GPUs to build for, and the shapes of its input.

    >>> CompileRequest(source=Path("encoder"), tokens=(16, 64)).profiles()
    (Profile(most_texts=64, best_texts=8, most_tokens=16, best_tokens=16), \
Profile(most_texts=64, best_texts=8, most_tokens=64, best_tokens=64))
    """

    source: Path
    """Directory written by penchant export; the engine is added to it."""
    precision: str = "fp16"
    """Number format: fp32; fp16, with sums and normalization in fp32; or graph, the graph's own
    formats, for quantized graphs too."""
    compute_capabilities: Annotated[tuple[str, ...], Parameter(name="--compute-capability")] = (
        "8.9",
    )
    """Compute capability of a GPU to build for, such as 8.9; repeatable."""
    this_gpu: bool = False
    """Build for the GPU of this machine instead."""
    texts: int = 64
    """Maximum number of texts in one run, 1 or more."""
    tokens: Annotated[
        tuple[int, ...],
        Parameter(converter=_numbers, n_tokens=1, accepts_keys=False, metavar="N,N,..."),
    ] = (16, 32, 128)
    """Maximum number of tokens per text in each optimization profile, rising."""
    refittable: bool = False
    """Allow weights to be replaced later without a new build."""
    version_compatible: bool = False
    """Make the engine run under later versions of TensorRT too."""
    timing_cache: Path | None = None
    """File of timings that builds of `tensorrt` read and add to; `tensorrt-rtx` needs none."""

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            expected = ", ".join(PRECISIONS)
            raise ConfigError(f"precision: got {self.precision!r}, expected one of: {expected}")
        for capability in self.compute_capabilities:
            if not re.fullmatch(r"\d{1,2}\.\d", capability):
                raise ConfigError(f"compute_capability: got {capability!r}, expected as in 8.9")
        if self.texts < 1:
            raise ConfigError(f"texts: got {self.texts}, expected 1 or more")
        if not self.tokens or min(self.tokens) < 1 or sorted(set(self.tokens)) != list(self.tokens):
            raise ConfigError(f"tokens: got {self.tokens}, expected rising numbers of 1 or more")

    @property
    def capabilities(self) -> tuple[str, ...]:
        """Compute capabilities to build for; empty: the GPU of this machine."""
        return () if self.this_gpu else self.compute_capabilities

    def profiles(self) -> tuple[Profile, ...]:
        """The optimization profiles, shortest texts first."""
        best = max(1, self.texts // 8)
        return tuple(Profile(self.texts, best, most, most) for most in self.tokens)

    def engine_name(self, runtime: str) -> str:
        """Name of the engine, by everything that decides where it runs."""
        where = "-".join(f"sm{one.replace('.', '')}" for one in self.capabilities)
        return f"{runtime}-{where or 'here'}-{self.precision}"


@dataclass(frozen=True, slots=True)
class CompileReport:
    """The result of a compilation."""

    note: EngineNote
    path: Path
    """Path of the engine."""
    network: NetworkReport
    least_cosine: float | None
    """Smallest cosine between vectors of the fp16 and the fp32 graph, on the CPU; None unless
    converted to fp16."""
    inspected: bool
    """Whether the engine was loaded and checked, which needs a GPU."""
    seconds: float
    """Duration of the compilation."""


def compile_encoder(
    request: CompileRequest, on_stage: Callable[[str], None] = lambda stage: None
) -> CompileReport:
    """Builds an engine from an encoder's graph, with or without a GPU.

    The engine is written beside the graph; an engine of the same name is replaced.

    Args:
        request: encoder, GPUs and shapes.
        on_stage: called when a stage begins, with its name.

    Raises:
        ConfigError: TensorRT is not installed or can't take the graph, fp16 differs too much, or
            this TensorRT can't build for a GPU.
    """
    began_s, trt = time.monotonic(), require_tensorrt()
    bundle = read_bundle(request.source)
    if request.tokens[-1] < bundle.settings.max_tokens:
        raise ConfigError(
            f"tokens: got up to {request.tokens[-1]}, expected {bundle.settings.max_tokens}, the "
            "token limit of this encoder"
        )
    with tempfile.TemporaryDirectory(prefix="penchant-compile-") as temporary:
        graph, least = bundle.graph, None
        if request.precision == "fp16":
            on_stage("Converting to fp16")
            with needs_extra("compile", "train,tensorrt"):
                from penchant.training.compilation.fp16 import require_alike, to_fp16
            graph = Path(temporary) / "fp16.onnx"
            to_fp16(bundle.graph, graph)
            least = require_alike(bundle, graph, comparison_texts())
        engine, network = _build(trt, graph, request, on_stage)
    on_stage("Writing the engine")
    note = _note(trt, bundle, request, engine)
    path = note.path(request.source)
    write_whole(path, engine)
    write_note(request.source, note)
    seconds = time.monotonic() - began_s
    return CompileReport(note, path, network, least, _inspect(trt, engine, note), seconds)


def _build(
    trt: Any, graph: Path, request: CompileRequest, on_stage: Callable[[str], None]
) -> tuple[bytes, NetworkReport]:
    on_stage("Parsing the graph")
    logger, errors = quiet_logger(trt)
    builder = trt.Builder(logger)
    network, parser = parse(trt, builder, logger, graph)
    report = report_of(trt, network)
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    for profile in request.profiles():
        shapes = builder.create_optimization_profile()
        best = (profile.best_texts, profile.best_tokens)
        most = (profile.most_texts, profile.most_tokens)
        for name in INPUTS:
            shapes.set_shape(name, (1, 1), best, most)
        if config.add_optimization_profile(shapes) < 0:
            raise ConfigError(f"tokens: TensorRT refuses the profile {profile}")
    _set_capabilities(trt, config, request)
    for flag, wanted in (
        ("REFIT", request.refittable),
        ("VERSION_COMPATIBLE", request.version_compatible),
    ):
        if wanted:
            config.set_flag(getattr(trt.BuilderFlag, flag))
    cache = _timing_cache(trt, config, request.timing_cache)
    on_stage("Building the engine")
    engine = builder.build_serialized_network(network, config)
    del parser
    if engine is None:
        hint = "; a refittable engine can't be built without a GPU" if request.refittable else ""
        raise ConfigError(
            f"compile: TensorRT {trt.__version__} could not build the engine{hint}: {errors[-1:]}"
        )
    if request.timing_cache is not None and cache is not None:
        write_whole(request.timing_cache, bytes(cache.serialize()))
    return bytes(engine), report


def _set_capabilities(trt: Any, config: Any, request: CompileRequest) -> None:
    """Sets the GPUs to build for; only TensorRT for RTX builds for GPUs of other machines."""
    if not request.capabilities:
        return
    known = getattr(trt, "ComputeCapability", None)
    if known is None:
        raise ConfigError(
            f"compute_capability: {runtime_name(trt)} builds only for this machine's GPU; use "
            "--this-gpu there, or compile with tensorrt-rtx"
        )
    config.num_compute_capabilities = len(request.capabilities)
    for place, capability in enumerate(request.capabilities):
        member = getattr(known, f"SM{capability.replace('.', '')}", None)
        if member is None or not config.set_compute_capability(member, place):
            names = sorted(f"{n[2:-1]}.{n[-1]}" for n in dir(known) if n.startswith("SM"))
            raise ConfigError(
                f"compute_capability: got {capability}, expected one of: {', '.join(names)}"
            )


def _timing_cache(trt: Any, config: Any, path: Path | None) -> Any | None:
    """The timing cache; None without one, and in TensorRT for RTX, which times nothing."""
    if path is None or runtime_name(trt) != "tensorrt":
        return None
    content = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(content)
    config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def _note(trt: Any, bundle: Bundle, request: CompileRequest, engine: bytes) -> EngineNote:
    runtime = runtime_name(trt)
    return EngineNote(
        name=request.engine_name(runtime),
        runtime=runtime,
        runtime_version=trt.__version__,
        compute_capabilities=request.capabilities,
        precision=request.precision,
        profiles=request.profiles(),
        graph_sha256=sha256_of(bundle.graph),
        engine_sha256=hashlib.sha256(engine).hexdigest(),
        size_bytes=len(engine),
        refittable=request.refittable,
    )


def _inspect(trt: Any, content: bytes, note: EngineNote) -> bool:
    """Loads the engine and compares it with its note; returns False without a GPU.

    Raises:
        ConfigError: the engine has other profiles or inputs.
    """
    engine = trt.Runtime(quiet_logger(trt)[0]).deserialize_cuda_engine(content)
    if engine is None:
        return False
    names = {engine.get_tensor_name(number) for number in range(engine.num_io_tensors)}
    if engine.num_optimization_profiles != len(note.profiles) or not set(INPUTS) <= names:
        raise ConfigError(
            f"compile: the engine has {engine.num_optimization_profiles} profiles and {names}, "
            f"expected {len(note.profiles)} and {', '.join(INPUTS)}"
        )
    return True
