"""Part `engines`: compile the default encoder for this GPU, load it, and look inside."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from benchmarks.gpu.bench import GpuBench, Skipped
from penchant.domain.errors import ConfigError
from penchant.encoder.engines import EngineNote
from penchant.training.compilation.compile import CompileRequest, compile_encoder
from penchant.training.compilation.network import quiet_logger

PRECISIONS = ("fp16", "fp32")
TOKENS = (16, 32, 128)


def build_engines(bench: GpuBench) -> list[dict[str, object]]:
    """One row an attempt: for this GPU as the builder calls it, then by its compute capability.

    A refusal is a row too: whether TensorRT for RTX takes a data centre's GPU is a question here.
    """
    if bench.trt is None:
        raise Skipped("TensorRT is not installed")
    capability = bench.gpu.compute_capability()
    rows = []
    for precision in PRECISIONS:
        here = CompileRequest(bench.encoder, precision, this_gpu=True, tokens=TOKENS)
        by_name = CompileRequest(
            bench.encoder, precision, compute_capabilities=(capability,), tokens=TOKENS
        )
        for asked, request in (("this GPU", here), (capability, by_name)):
            row = {"asked for": asked, "precision": precision} | _attempt(bench, request)
            rows.append(row)
            if row["loads"] == "yes":
                break
    return rows


def _attempt(bench: GpuBench, request: CompileRequest) -> dict[str, object]:
    try:
        report = compile_encoder(request)
    except ConfigError as error:
        return {"built": f"refused: {error}", "loads": "no"}
    row: dict[str, object] = {
        "built": f"{report.note.size_bytes / 1e6:.0f} MB in {report.seconds:.1f} s",
        "products": ", ".join(f"{kind} {n}" for kind, n in sorted(report.network.products.items())),
        "least cosine of fp16 on the CPU": report.least_cosine,
    }
    return row | _look(bench, report.note)


def _look(bench: GpuBench, note: EngineNote) -> dict[str, object]:
    logger, errors = quiet_logger(bench.trt)
    began_s = time.perf_counter()
    assert bench.trt is not None
    engine = bench.trt.Runtime(logger).deserialize_cuda_engine(
        note.path(bench.encoder).read_bytes()
    )
    if engine is None:
        return {"loads": "no", "why": "; ".join(errors[-2:]) or "no reason given"}
    seconds = time.perf_counter() - began_s
    return {"loads": "yes", "load s": round(seconds, 2)} | _inspected(bench.trt, engine)


def _inspected(trt: Any, engine: Any) -> dict[str, object]:
    """Layers by number format and by tactic, from the engine inspector's JSON."""
    inspector = engine.create_engine_inspector()
    try:
        told = json.loads(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    except ValueError as error:
        return {"inspector": f"no JSON: {error}"}
    return layer_summary(told)


def layer_summary(told: dict[str, Any]) -> dict[str, object]:
    """Counts what an engine inspector tells.

    >>> layer_summary({"Layers": [
    ...     {"Name": "a", "LayerType": "gemm", "TacticName": "sm90_h1688",
    ...      "Outputs": [{"Format/Datatype": "Half"}]},
    ...     "fused"]})
    {'layers': 2, 'formats': 'Half 1', 'tactics': 'sm90_h1688 1'}
    """
    layers = told.get("Layers", [])
    detailed = [layer for layer in layers if isinstance(layer, dict)]
    formats = Counter(
        str(output.get("Format/Datatype", "unknown"))
        for layer in detailed
        for output in layer.get("Outputs", [])
    )
    tactics = Counter(str(layer["TacticName"]) for layer in detailed if layer.get("TacticName"))
    return {"layers": len(layers), "formats": _most(formats), "tactics": _most(tactics)}


def _most(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(5))
