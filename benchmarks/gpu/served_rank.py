"""Part `server`: a query and a put of 10,000 items through a real Triton, GPU against CPU."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.gpu.bench import GpuBench, Skipped
from benchmarks.gpu.vector_agreement import catalog_texts
from penchant.encoder.runtime import fitting_engine
from penchant.launch import Server
from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import gather
from penchant.launch.tritonserver import check_stub, find_triton
from penchant_sdk import Item, Penchant

ITEMS = 10_000
QUERIES = 200


def measure_served(bench: GpuBench) -> list[dict[str, object]]:
    """One row a runtime: the CPU always, TensorRT where an engine runs.

    Raises:
        Skipped: there is no Triton for this Python.
    """
    try:
        check_stub(find_triton())
    except LaunchError as error:
        raise Skipped(str(error)) from None
    fit = "no GPU"
    if bench.cuda is not None and bench.cuda.devices():
        found = fitting_engine(bench.encoder, bench.trt, bench.cuda)
        fit = found if isinstance(found, str) else ""
    runtimes = ["onnxruntime"] if fit else ["tensorrt", "onnxruntime"]
    rows = [_served(bench, runtime) for runtime in runtimes]
    return rows + ([{"runtime": "tensorrt", "put s": f"not run: {fit}"}] if fit else [])


def _served(bench: GpuBench, runtime: str) -> dict[str, object]:
    directory = bench.work / f"served-{runtime}"
    items, queries = (200, 10) if bench.quick else (ITEMS, QUERIES)
    runs_on = [f"encoder_runtime={runtime}"]
    settings = gather(f"lmdb:{directory / 'store'}", bench.encoder, runs_on)
    texts = catalog_texts(items + queries, seed=2)
    with (
        Server(directory / "server", settings) as server,
        Penchant(server.target, timeout_s=300.0) as penchant,
    ):
        began_s = time.perf_counter()
        for start in range(0, items, 1000):
            penchant.put_items(
                [
                    Item(f"item-{number}", text=f"{number} {texts[number]}")
                    for number in range(start, min(start + 1000, items))
                ]
            )
        put_s = time.perf_counter() - began_s
        took = []
        for number in range(queries):
            began_s = time.perf_counter()
            penchant.rank("somebody", query=f"{number} {texts[items + number]}", k=10)
            took.append((time.perf_counter() - began_s) * 1e3)
    return {
        "runtime": runtime,
        "put s": round(put_s, 2),
        "items": items,
        "query p50 ms": round(float(np.percentile(took, 50)), 2),
        "query p99 ms": round(float(np.percentile(took, 99)), 2),
    }
