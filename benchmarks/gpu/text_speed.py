"""Part `speed`: texts a second and latency, beside PyTorch in half precision on the same GPU.

Every way takes token ids in the CPU's memory and ends with vectors there. `encode` is Penchant's
whole call, tokenizer included; the others are given the ids.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.gpu.bench import GpuBench, Skipped
from benchmarks.gpu.torch_engine import torch_model
from penchant.encoder.bundle import read_bundle
from penchant.encoder.tokens import TextTokenizer

COUNTS = (1, 8, 64)
TOKENS = (16, 32, 128)
SECONDS = 0.7
"""Duration of each measure."""
_LEAST_CALLS = 5

Call = Callable[[list[str], Any, Any], object]
"""A way to encode: texts, their token ids and their mask, the last two of shape (n, tokens)."""


def measure_speed(bench: GpuBench) -> list[dict[str, object]]:
    """One row for each way, number of texts and number of tokens."""
    loaded = bench.loaded()
    tokenizer = TextTokenizer.load(read_bundle(bench.encoder))
    rows: list[dict[str, object]] = []
    ways = {loaded.name: lambda texts, ids, mask: loaded.encoder.encode(texts)} | _pytorch(bench)
    shapes = [(2, 16)] if bench.quick else [(n, t) for t in TOKENS for n in COUNTS]
    for name, call in ways.items():
        for count, tokens in shapes:
            texts = texts_of(count, tokens, tokenizer)
            ids = np.array([tokenizer.token_ids(text) for text in texts], np.int64)
            row: dict[str, object] = {"way": name, "texts": count, "tokens": tokens}
            try:
                row |= _timed(call, texts, ids, 0.02 if bench.quick else SECONDS)
            except Exception as error:  # noqa: BLE001  One way that breaks must not end the others.
                row["failed"] = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
            rows.append(row)
    return rows


def texts_of(count: int, tokens: int, tokenizer: TextTokenizer) -> list[str]:
    """Different texts of exactly so many tokens, special tokens included.

    Args:
        count: number of texts.
        tokens: tokens of each, 3 to the encoder's limit.
        tokenizer: the encoder's tokenizer.

    Raises:
        Skipped: this tokenizer splits the words that texts are made of.
    """
    words = ["film", "house", "river", "night", "music", "game", "light", "shoe"]
    texts = [
        " ".join(words[(place * 7 + number) % len(words)] for place in range(tokens - 2))
        for number in range(count)
    ]
    if any(len(tokenizer.token_ids(text)) != tokens for text in texts):
        raise Skipped("this encoder's tokenizer splits common words")
    return texts


def _timed(call: Call, texts: list[str], ids: Any, seconds: float) -> dict[str, object]:
    mask = np.ones_like(ids)
    for _ in range(3):
        call(texts, ids, mask)
    took: list[float] = []
    end = time.perf_counter() + seconds
    while len(took) < _LEAST_CALLS or time.perf_counter() < end:
        began_s = time.perf_counter()
        call(texts, ids, mask)
        took.append(time.perf_counter() - began_s)
    return {
        "texts/s": round(len(texts) * len(took) / sum(took)),
        "p50 ms": round(float(np.percentile(took, 50)) * 1e3, 3),
        "p99 ms": round(float(np.percentile(took, 99)) * 1e3, 3),
        "calls": len(took),
    }


def _pytorch(bench: GpuBench) -> dict[str, Call]:
    """PyTorch's ways: eager, compiled, and a CUDA graph a shape; without PyTorch, none."""
    try:
        model = torch_model(bench.source, bench.dimensions, bench.device)
    except Skipped:
        return {}
    import torch

    def eager(texts: list[str], ids: Any, mask: Any) -> object:
        with torch.inference_mode():
            vectors = model(
                torch.from_numpy(ids).to(bench.device), torch.from_numpy(mask).to(bench.device)
            )
            return vectors.float().cpu()

    if bench.device == "cpu":
        return {"PyTorch, eager": eager}
    compiled: Any = torch.compile(model, dynamic=False)

    def by_compiler(texts: list[str], ids: Any, mask: Any) -> object:
        with torch.inference_mode():
            vectors = compiled(torch.from_numpy(ids).cuda(), torch.from_numpy(mask).cuda())
            return vectors.float().cpu()

    return {
        "PyTorch fp16, eager": eager,
        "PyTorch fp16, compiled": by_compiler,
        "PyTorch fp16, CUDA graph": _GraphPerShape(model),
    }


class _GraphPerShape:
    """PyTorch's own CUDA graphs: one a shape, with pinned input and output."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._graphs: dict[tuple[int, ...], tuple[Any, Any, Any, Any, Any]] = {}

    def __call__(self, texts: list[str], ids: Any, mask: Any) -> object:
        import torch

        if ids.shape not in self._graphs:
            self._graphs[ids.shape] = self._capture(ids, mask)
        graph, ids_on, mask_on, output, pinned = self._graphs[ids.shape]
        with torch.inference_mode():
            ids_on.copy_(torch.from_numpy(ids), non_blocking=True)
            mask_on.copy_(torch.from_numpy(mask), non_blocking=True)
            graph.replay()
            pinned.copy_(output, non_blocking=True)
        torch.cuda.current_stream().synchronize()
        return pinned

    def _capture(self, ids: Any, mask: Any) -> tuple[Any, Any, Any, Any, Any]:
        import torch

        with torch.inference_mode():
            ids_on, mask_on = torch.from_numpy(ids).cuda(), torch.from_numpy(mask).cuda()
            cuda: Any = torch.cuda
            side = cuda.Stream()
            side.wait_stream(cuda.current_stream())
            with cuda.stream(side):
                for _ in range(3):
                    self._model(ids_on, mask_on)
            cuda.current_stream().wait_stream(side)
            graph = cuda.CUDAGraph()
            with cuda.graph(graph):
                output = self._model(ids_on, mask_on).float()
            pinned = torch.empty(output.shape, dtype=torch.float32, pin_memory=True)
        return graph, ids_on, mask_on, output, pinned
