"""Builds an engine: parse, set profiles, build, note what it is good for."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import INPUTS, Bundle, read_bundle, sha256_of
from penchant.encoder.engines import EngineNote, write_note
from penchant.encoder.tensorrt_bindings import require_tensorrt, runtime_name
from penchant.training.compilation.compile_settings import CompileSettings
from penchant.training.compilation.fp16 import require_alike, to_half
from penchant.training.compilation.network import NetworkReport, parse, quiet_logger, report_of

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CompileReport:
    """What a compilation made."""

    note: EngineNote
    path: Path
    network: NetworkReport
    least_cosine: float | None
    """Of the half-precision graph with the fp32 one, on the CPU; None: the same graph."""
    inspected: bool
    """Whether the engine itself could be loaded and looked at, which needs a GPU."""
    seconds: float


def compile_encoder(
    directory: Path,
    texts: list[str],
    settings: CompileSettings | None = None,
    on_step: OnStep = lambda step: None,
) -> CompileReport:
    """Builds an engine of an encoder's graph into its directory; one of the same name is replaced.

    Args:
        directory: an encoder as `penchant export` writes it.
        texts: that half precision is compared on.
        settings: default: `CompileSettings()`.
        on_step: told what begins.

    Raises:
        ConfigError: TensorRT is not installed or can't take the graph, half precision differs too
            much, or the GPU that is meant is not one that this TensorRT builds for.
    """
    began_s, chosen, trt = time.monotonic(), settings or CompileSettings(), require_tensorrt()
    bundle = read_bundle(directory)
    if chosen.tokens[-1] < bundle.settings.max_tokens:
        raise ConfigError(
            f"tokens: got up to {chosen.tokens[-1]}, expected {bundle.settings.max_tokens}, which "
            "is where this encoder cuts texts"
        )
    with tempfile.TemporaryDirectory(prefix="penchant-compile-") as temporary:
        graph, least = bundle.graph, None
        if chosen.precision == "fp16":
            on_step("Converting to half precision")
            graph = Path(temporary) / "half.onnx"
            to_half(bundle.graph, graph)
            least = require_alike(bundle, graph, texts)
        engine, network = _build(trt, graph, chosen, on_step)
    on_step("Writing the engine")
    note = _note(trt, bundle, chosen, engine)
    path = note.path(directory)
    _write(path, engine)
    write_note(directory, note)
    seconds = time.monotonic() - began_s
    return CompileReport(note, path, network, least, _inspect(trt, engine, note), seconds)


def _build(
    trt: Any, graph: Path, settings: CompileSettings, on_step: OnStep
) -> tuple[bytes, NetworkReport]:
    on_step("Parsing the graph")
    logger, told = quiet_logger(trt)
    builder = trt.Builder(logger)
    network, parser = parse(trt, builder, logger, graph)
    report = report_of(trt, network)
    config = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    for profile in settings.profiles():
        shapes = builder.create_optimization_profile()
        best, most = (
            (profile.best_texts, profile.best_tokens),
            (
                profile.most_texts,
                profile.most_tokens,
            ),
        )
        for name in INPUTS:
            shapes.set_shape(name, (1, 1), best, most)
        if config.add_optimization_profile(shapes) < 0:
            raise ConfigError(f"tokens: TensorRT refuses the profile {profile}")
    _set_capabilities(trt, config, settings)
    for flag, wanted in (
        ("REFIT", settings.refittable),
        ("VERSION_COMPATIBLE", settings.version_compatible),
    ):
        if wanted:
            config.set_flag(getattr(trt.BuilderFlag, flag))
    cache = _timing_cache(trt, config, settings.timing_cache)
    on_step("Building the engine")
    engine = builder.build_serialized_network(network, config)
    del parser
    if engine is None:
        hint = "; without a GPU a refittable engine can't be built" if settings.refittable else ""
        raise ConfigError(
            f"compile: TensorRT {trt.__version__} could not build the engine{hint}: {told[-1:]}"
        )
    if settings.timing_cache is not None and cache is not None:
        _write(settings.timing_cache, bytes(cache.serialize()))
    return bytes(engine), report


def _set_capabilities(trt: Any, config: Any, settings: CompileSettings) -> None:
    """For which GPUs; only TensorRT for RTX builds for others than this machine's."""
    if not settings.compute_capabilities:
        return
    known = getattr(trt, "ComputeCapability", None)
    if known is None:
        raise ConfigError(
            f"compute_capability: {runtime_name(trt)} builds for this machine's GPU alone; leave "
            "the option out there, or compile with tensorrt-rtx"
        )
    config.num_compute_capabilities = len(settings.compute_capabilities)
    for place, capability in enumerate(settings.compute_capabilities):
        member = getattr(known, f"SM{capability.replace('.', '')}", None)
        if member is None or not config.set_compute_capability(member, place):
            names = sorted(f"{n[2:-1]}.{n[-1]}" for n in dir(known) if n.startswith("SM"))
            raise ConfigError(
                f"compute_capability: got {capability}, expected one of: {', '.join(names)}"
            )


def _timing_cache(trt: Any, config: Any, path: Path | None) -> Any | None:
    """None where none is wanted, and in TensorRT for RTX, which times nothing when it builds."""
    if path is None or runtime_name(trt) != "tensorrt":
        return None
    content = path.read_bytes() if path.is_file() else b""
    cache = config.create_timing_cache(content)
    config.set_timing_cache(cache, ignore_mismatch=False)
    return cache


def _note(trt: Any, bundle: Bundle, settings: CompileSettings, engine: bytes) -> EngineNote:
    runtime = runtime_name(trt)
    return EngineNote(
        name=settings.name(runtime),
        runtime=runtime,
        runtime_version=trt.__version__,
        compute_capabilities=settings.compute_capabilities,
        precision=settings.precision,
        profiles=settings.profiles(),
        graph_sha256=sha256_of(bundle.graph),
        engine_sha256=hashlib.sha256(engine).hexdigest(),
        size_bytes=len(engine),
        refittable=settings.refittable,
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _inspect(trt: Any, content: bytes, note: EngineNote) -> bool:
    """Loads the engine where a GPU is, and holds it to the note; False where none is.

    Raises:
        ConfigError: the engine is not what was asked for.
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
