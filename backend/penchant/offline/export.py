"""A Hugging Face encoder directory to the directory that `OnnxEncoder` loads.

Read the source, fit the projection, write the graph, compare it with PyTorch, move it into place.
"""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np
import onnx
import torch
from torch import nn
from transformers.utils import logging as transformers_logging

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.bundle import GRAPH, MANIFEST, TOKENIZER, Bundle, Settings, write_bundle
from penchant.encoder.onnx import INPUTS, OUTPUT, OnnxEncoder
from penchant.encoder.pytorch import SentenceEncoder, embed, read_source
from penchant.encoder.tokens import Texts, pad

Projection = Literal["truncate", "pca"]
OPSET = 18
TOLERANCE = 1e-4
"""The most that a value of the ONNX vector may differ from PyTorch's."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export made."""

    directory: Path
    settings: Settings
    version: str
    """16 hex digits; the same inputs give the same version."""
    size_bytes: int
    """Of all files."""
    max_difference: float
    """The largest difference to PyTorch in any value of the compared vectors, 0 to 1e-4."""
    compared_texts: int
    explained: float | None
    """Share of the variance that the principal components keep, 0 to 1; None without "pca"."""
    seconds: float


def export(
    source: Path,
    output: Path,
    *,
    dimensions: int = 64,
    projection: Projection = "truncate",
    projection_texts: Sequence[str] | None = None,
    max_tokens: int = 128,
    pca_power: float = 0.0,
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportReport:
    """Exports an encoder to ONNX and proves the result equal to PyTorch; needs no network.

    Args:
        source: A Hugging Face encoder directory: sentence-transformers layout (pooling mean, cls
            or max; Dense and Normalize modules are kept), or a plain model (mean pooling).
        output: The directory to write; an encoder that is there already is replaced.
        dimensions: Length d of the vectors, 1 to the source's own.
        projection: "truncate" keeps the first d values; "pca" the first d principal components.
        projection_texts: Texts like those to come, more than d, that "pca" is fitted on.
        max_tokens: Texts are cut after so many tokens, 3 to the source's limit.
        pca_power: Each component is divided by its variance to this power, 0 to 0.5; 0.5 whitens.
        on_step: Told what begins, in a few words.

    Raises:
        ConfigError: an argument does not fit, the source can't be read or exported, or the graph
            differs from PyTorch by more than 1e-4.
    """
    began = time.monotonic()
    _check_arguments(output, projection, projection_texts, pca_power)
    with _quiet():
        on_step("Reading the source")
        model, texts, settings = read_source(source, dimensions, projection, max_tokens)
        explained = None
        if projection_texts is not None:
            on_step(f"Fitting {dimensions} principal components")
            embeddings = embed(model, texts, projection_texts)
            model.projection, explained = _principal(embeddings, dimensions, pca_power)
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
            made = Path(temporary) / output.name
            made.mkdir()
            on_step("Writing the ONNX graph")
            _write_graph(model, made / GRAPH)
            (made / TOKENIZER).write_text(texts.tokenizer_json(), encoding="utf-8")
            bundle = write_bundle(made, settings)
            on_step("Comparing with PyTorch")
            compared = comparison_texts()
            difference = _difference(model, texts, bundle, compared)
            if not difference <= TOLERANCE:
                raise ConfigError(
                    f"source: the ONNX graph differs from PyTorch by {difference:.2g}, expected "
                    f"at most {TOLERANCE}; this model can't be exported"
                )
            size = sum(file.stat().st_size for file in made.iterdir())
            if output.exists():
                output.replace(Path(temporary) / "replaced")
            made.replace(output)
    seconds = time.monotonic() - began
    return ExportReport(
        output, settings, bundle.version, size, difference, len(compared), explained, seconds
    )


def comparison_texts() -> list[str]:
    """The 96 texts that an export is compared on: lengths, scripts, and nearly nothing."""
    words = "red lamp 1995 drama, comedy! Größe 東京 кино सेब 🎬 don't a-b x1 of by".split()  # noqa: SIM905
    nearly = ["", "\u200b\x00", " \t\n", "!?", "a", "東京タワー", "e\u0301 é", "🎬🎬", "<b>&amp;"]
    random = np.random.default_rng(0)
    lengths = [*range(1, 65), 80, 100, 127, 128, 129, 200, 511, 512, 600]
    sentences = [" ".join(random.choice(words, size)) for size in lengths]
    repeats = [f"Item {number}: {words[number]}" for number in range(14)]
    return [*nearly, *sentences, *repeats]


def _check_arguments(
    output: Path, projection: str, projection_texts: Sequence[str] | None, pca_power: float
) -> None:
    if projection not in ("truncate", "pca"):
        raise ConfigError(f"projection: got {projection!r}, expected truncate or pca")
    if (projection == "pca") != (projection_texts is not None):
        raise ConfigError("projection_texts: needed for projection pca, and only there")
    if not 0 <= pca_power <= 0.5:
        raise ConfigError(f"pca_power: got {pca_power}, expected 0 to 0.5")
    empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not empty and not (output / MANIFEST).is_file():
        raise ConfigError(f"output: {output} holds something else than an encoder")


def _principal(embeddings: Matrix, dimensions: int, power: float) -> tuple[nn.Linear, float]:
    """Centre, turn to the leading principal components, scale; and the variance that they keep."""
    mean = embeddings.mean(axis=0, dtype=np.float64)
    covariance = np.cov(embeddings, rowvar=False, dtype=np.float64)
    variances, axes = np.linalg.eigh(np.atleast_2d(covariance))
    variances, axes = variances[::-1], axes[:, ::-1].T
    kept = variances[:dimensions]
    if len(embeddings) <= dimensions or kept[-1] <= 1e-9 * variances[0]:
        raise ConfigError(
            f"projection_texts: {len(embeddings)} texts do not span {dimensions} dimensions; "
            "give more that differ, or fewer dimensions"
        )
    # An axis and its opposite are equally good: take the one that points up where it is largest.
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    weight = (axes * np.sign(largest)[:, None])[:dimensions] * kept[:, None] ** -power
    linear = nn.Linear(embeddings.shape[1], dimensions)
    turn = {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(-weight @ mean)}
    linear.load_state_dict(turn)
    return linear, float(kept.sum() / variances.sum())


class _Annotated(Protocol):
    metadata_props: dict[str, str]


class _Bars(Protocol):
    """The progress bars of transformers; their functions carry no types."""

    def is_progress_bar_enabled(self) -> bool: ...

    def disable_progress_bar(self) -> None: ...

    def enable_progress_bar(self) -> None: ...


def _write_graph(model: SentenceEncoder, path: Path) -> None:
    ids = torch.ones((3, 5), dtype=torch.int64)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    mask = torch.tensor([[1] * size + [0] * (5 - size) for size in (5, 4, 2)])
    try:
        program = torch.onnx.export(
            model,
            (ids, mask),
            input_names=INPUTS,
            output_names=["unit_vectors"],
            dynamic_shapes=[axes, axes],
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise ConfigError("source: this model can't be exported by torch.onnx") from error
    assert program is not None
    graph = program.model.graph
    # Names and paths of this machine's Python files, and its build of PyTorch: not reproducible.
    program.model.producer_version = None
    holders = (program.model, graph, *graph.inputs, *graph.initializers.values())
    for holder in cast(tuple[_Annotated, ...], holders):
        holder.metadata_props.clear()
    for node in graph:
        node.metadata_props.clear()
        for value in node.outputs:
            value.metadata_props.clear()
            if value.name == OUTPUT:  # so the exporter names the look-up of token vectors
                value.name = "token_vectors"
    graph.outputs[0].name = OUTPUT
    program.save(path)
    onnx.checker.check_model(str(path), full_check=True)


def _difference(model: SentenceEncoder, texts: Texts, bundle: Bundle, strings: list[str]) -> float:
    """The largest difference of ONNX, batched and alone, to PyTorch on unsorted batches."""
    encoder = OnnxEncoder.load(bundle.directory, threads=max(1, torch.get_num_threads()))
    together = encoder.encode(strings)
    alone = np.concatenate([encoder.encode([text]) for text in strings])
    parts = []
    for start in range(0, len(strings), 24):
        tokens = [texts.token_ids(text) for text in strings[start : start + 24]]
        batch = pad([], tokens, bundle.settings.pad_id)
        with torch.inference_mode():
            ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
            parts.append(model(ids, mask).numpy())
    expected = np.concatenate(parts)
    return float(max(np.abs(together - expected).max(), np.abs(alone - expected).max()))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences what the libraries say about themselves; our own steps go to `on_step`."""
    bars = cast(_Bars, transformers_logging)
    enabled = bars.is_progress_bar_enabled()
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    bars.disable_progress_bar()
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # PyTorch 2.13 uses a deprecated call of its own, and notes that both inputs share axes.
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            warnings.filterwarnings("ignore", r"# The axis name: \w+ will not be used", UserWarning)
            yield
    finally:
        logger.setLevel(level)
        if enabled:
            bars.enable_progress_bar()
