"""Export of a Hugging Face encoder to the directory that `OnnxEncoder` loads.

Read the source, fit the projection, write the graph, compare it with PyTorch, move it into place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import GRAPH, MANIFEST, TOKENIZER, EncoderSettings, write_bundle
from penchant.encoder.source import default_source
from penchant.logs.refusals import LeftOut
from penchant.system.option_types import FLAT
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import check_replaceable, whole_directory
from penchant.training.catalog_texts import CatalogSource, TextLines, catalog_texts, text_lines
from penchant.training.comparison_texts import comparison_texts, evenly_spread

LEAST_COSINE = 0.999
"""Least accepted cosine of a vector of the source with that of sentence-transformers."""
TOLERANCE = 1e-4
"""Largest accepted difference between a value of an ONNX vector and PyTorch's."""
CATALOG_TEXTS = 1000
"""Maximum number of the catalog's texts to compare."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """An export: the encoder, its projection, and the output."""

    output: Path
    """Directory to write; an encoder there is replaced."""
    source: Annotated[Path | None, Parameter(show_default="all-MiniLM-L6-v2")] = None
    """Hugging Face directory of an encoder, or of a LoRA adapter."""
    dimensions: int = 64
    """Length of the vectors, 1 to the source's own."""
    projection_texts: TextLines = None
    """Texts, one a line, to fit principal components to; by default vectors are truncated."""
    pca_power: float = 0.0
    """Power of the variance that divides each principal component, 0 to 0.5; 0.5 whitens."""
    max_tokens: int = 128
    """Token limit of a text, 3 to the source's own; longer texts are cut."""
    catalog: Annotated[CatalogSource, FLAT] = CatalogSource()
    """Items to serve; up to 1,000 of their texts are compared too."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result of an export."""

    directory: Path
    settings: EncoderSettings
    version: str
    """16 hex digits; equal inputs give equal versions."""
    size_bytes: int
    """Size of all files."""
    max_difference: float
    """Largest difference to PyTorch in any value of the compared vectors, 0 to 1e-4."""
    compared_texts: int
    """Number of compared texts, including the catalog's."""
    compared_of_catalog: int
    """Number of compared texts from the catalog, 0 to 1,000."""
    least_cosine: float | None
    """Least cosine of the source's vectors with those of sentence-transformers' own `encode`, at
    least 0.999; None where sentence-transformers does not read the source."""
    explained: float | None
    """Share of the variance that the principal components keep, 0 to 1; None if truncated."""
    seconds: float
    """Duration of the export."""
    left_out: tuple[str, ...] = ()
    """The catalog's rows that were refused or changed, a line each kind."""


def export_encoder(
    request: ExportRequest, on_stage: Callable[[str], None] = lambda stage: None
) -> ExportReport:
    """Exports an encoder to ONNX and compares it with PyTorch; needs no network.

    The source is a directory in the layout of sentence-transformers (one pooling; Dense and
    Normalize modules, prompt, token limit and lower case are kept, anything else is refused), a
    plain model (mean pooling), or a LoRA adapter of either, merged into its base, which must be a
    directory on this machine. Vectors of the first kind are compared with those that
    sentence-transformers itself makes of the directory.

    Args:
        request: source, projection and output.
        on_stage: called when a stage begins, with its name.

    Raises:
        ConfigError: an argument is wrong, the source can't be read or exported, the graph
            differs from PyTorch by more than 1e-4, or the source's vectors from those of
            sentence-transformers by a cosine below 0.999.
    """
    began_s = time.monotonic()
    if not 0 <= request.pca_power <= 0.5:
        raise ConfigError(f"pca_power: got {request.pca_power}, expected 0 to 0.5")
    texts = request.projection_texts if isinstance(request.projection_texts, Path) else None
    reads = (request.source, texts, request.catalog.items)
    check_replaceable(request.output, MANIFEST, "an encoder", reads)
    source, pca = request.source or default_source(), request.projection_texts is not None
    projection_texts = text_lines(request.projection_texts, "projection_texts")
    left_out = LeftOut()
    catalog = evenly_spread(catalog_texts(request.catalog, left_out), CATALOG_TEXTS)
    on_stage("Loading PyTorch")
    with needs_extra("export", "train"):  # Imports take seconds, and a server lacks the extra.
        from penchant.training.export_comparison import largest_difference
        from penchant.training.export_graph import write_graph
        from penchant.training.library_output import quiet_transformers
        from penchant.training.pytorch_encoder import read_source
        from penchant.training.sentence_transformers_comparison import least_cosine
    explained = None
    with quiet_transformers(), whole_directory(request.output) as made:
        on_stage("Reading the source")
        projection = "pca" if pca else "truncate"
        model, tokenizer, settings = read_source(
            source, request.dimensions, projection, request.max_tokens
        )
        on_stage("Comparing with sentence-transformers")
        cosine = least_cosine(source, model, tokenizer, settings)
        if cosine is not None and not cosine >= LEAST_COSINE:
            raise ConfigError(
                f"source: {source}: the cosine with the vectors of sentence-transformers falls to "
                f"{cosine:.4f}, expected at least {LEAST_COSINE}; this directory can't be exported"
            )
        if pca:
            on_stage(f"Fitting {request.dimensions} principal components")
            explained = model.fit_projection(tokenizer, projection_texts, request.pca_power)
        on_stage("Writing the ONNX graph")
        write_graph(model, made / GRAPH)
        (made / TOKENIZER).write_text(tokenizer.tokenizer_json(), encoding="utf-8")
        bundle = write_bundle(made, settings)
        on_stage("Comparing with PyTorch")
        difference = largest_difference(model, tokenizer, bundle, catalog)
        if not difference <= TOLERANCE:
            raise ConfigError(
                f"source: the ONNX graph differs from PyTorch by {difference:.2g}, expected "
                f"at most {TOLERANCE}; this model can't be exported"
            )
        size = sum(file.stat().st_size for file in made.iterdir())
    return ExportReport(
        directory=request.output,
        settings=settings,
        version=bundle.version,
        size_bytes=size,
        max_difference=difference,
        compared_texts=len(comparison_texts()) + len(catalog),
        compared_of_catalog=len(catalog),
        least_cosine=cosine,
        explained=explained,
        seconds=time.monotonic() - began_s,
        left_out=tuple(left_out.notes()),
    )
