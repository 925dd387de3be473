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
import torch
from torch import nn
from transformers.utils import logging as transformers_logging

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.bundle import (
    GRAPH,
    MANIFEST,
    TOKENIZER,
    Bundle,
    EncoderSettings,
    write_bundle,
)
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.tokens import TextTokenizer, pad
from penchant.training.export_graph import write_graph
from penchant.training.pytorch_encoder import SentenceEncoder, embed, read_source

Projection = Literal["truncate", "pca"]
TOLERANCE = 1e-4
"""The most that a value of the ONNX vector may differ from PyTorch's."""
CATALOG_TEXTS = 1000
"""The most texts of a catalog that an export is compared on."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export made."""

    directory: Path
    settings: EncoderSettings
    version: str
    """16 hex digits; the same inputs give the same version."""
    size_bytes: int
    """Of all files."""
    max_difference: float
    """The largest difference to PyTorch in any value of the compared vectors, 0 to 1e-4."""
    compared_texts: int
    """How many texts were compared, the catalog's among them."""
    compared_of_catalog: int
    """How many of those are the catalog's, 0 to 1,000."""
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
    catalog: Sequence[str] = (),
    on_step: Callable[[str], None] = lambda step: None,
) -> ExportReport:
    """Exports an encoder to ONNX and proves the result equal to PyTorch; needs no network.

    Args:
        source: A Hugging Face encoder directory: sentence-transformers layout (pooling mean, cls
            or max; Dense and Normalize modules are kept), or a plain model (mean pooling); or a
            LoRA adapter of either, which is merged into its base, a directory on this machine.
        output: The directory to write; an encoder that is there already is replaced.
        dimensions: Length d of the vectors, 1 to the source's own.
        projection: "truncate" keeps the first d values; "pca" the first d principal components.
        projection_texts: TextTokenizer like those to come, more than d, that "pca" is fitted on.
        max_tokens: TextTokenizer are cut after so many tokens, 3 to the source's limit.
        pca_power: Each component is divided by its variance to this power, 0 to 0.5; 0.5 whitens.
        catalog: TextTokenizer of the items to serve; up to 1,000 of them, evenly spread, are compared with
            PyTorch too.
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
            write_graph(model, made / GRAPH)
            (made / TOKENIZER).write_text(texts.tokenizer_json(), encoding="utf-8")
            bundle = write_bundle(made, settings)
            on_step("Comparing with PyTorch")
            own = _spread(catalog)
            difference = _difference(model, texts, bundle, own)
            if not difference <= TOLERANCE:
                raise ConfigError(
                    f"source: the ONNX graph differs from PyTorch by {difference:.2g}, expected "
                    f"at most {TOLERANCE}; this model can't be exported"
                )
            size = sum(file.stat().st_size for file in made.iterdir())
            if output.exists():
                output.replace(Path(temporary) / "replaced")
            made.replace(output)
    return ExportReport(
        directory=output,
        settings=settings,
        version=bundle.version,
        size_bytes=size,
        max_difference=difference,
        compared_texts=len(comparison_texts()) + len(own),
        compared_of_catalog=len(own),
        explained=explained,
        seconds=time.monotonic() - began,
    )


def comparison_texts() -> list[str]:
    """The 96 texts that every export is compared on: lengths, scripts, and nearly nothing."""
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


class _Bars(Protocol):
    """The progress bars of transformers; their functions carry no types."""

    def is_progress_bar_enabled(self) -> bool: ...

    def disable_progress_bar(self) -> None: ...

    def enable_progress_bar(self) -> None: ...


def _spread(catalog: Sequence[str]) -> list[str]:
    """Up to CATALOG_TEXTS of a catalog, from its first to its last at even distances."""
    count = min(len(catalog), CATALOG_TEXTS)
    places = np.linspace(0, len(catalog) - 1, count).round().astype(int)
    return [catalog[place] for place in places]


def _difference(
    model: SentenceEncoder, texts: TextTokenizer, bundle: Bundle, catalog: Sequence[str]
) -> float:
    """The largest difference of ONNX to PyTorch on unsorted batches.

    The built-in texts are compared batched and alone, the catalog's batched, as a call each takes
    long.
    """
    encoder = OnnxEncoder.load(bundle.directory, threads=max(1, torch.get_num_threads()))
    built_in = comparison_texts()
    expected = _in_pytorch(model, texts, bundle, [*built_in, *catalog])
    together = encoder.encode([*built_in, *catalog])
    alone = np.concatenate([encoder.encode([text]) for text in built_in])
    differences = together - expected, alone - expected[: len(built_in)]
    return float(np.max([np.abs(difference).max() for difference in differences]))


def _in_pytorch(
    model: SentenceEncoder, texts: TextTokenizer, bundle: Bundle, strings: Sequence[str]
) -> Matrix:
    parts = []
    for start in range(0, len(strings), 24):
        tokens = [texts.token_ids(text) for text in strings[start : start + 24]]
        batch = pad([], tokens, bundle.settings.pad_id)
        with torch.inference_mode():
            ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
            parts.append(model(ids, mask).numpy())
    return np.concatenate(parts)


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
