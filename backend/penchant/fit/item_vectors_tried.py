"""The vectors of the items that a fit compares: cut, projected by variance, or by training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.logs.stream import Stream
from penchant.system.optional_package import needs_extra
from penchant.system.progress import Progress
from penchant.training.export import ExportRequest, export_encoder
from penchant.training.finetuning.finetune import FinetuneRequest, finetune
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.training_progress import TrainingProgress

FIRST_VALUES, COMPONENTS = "first values", "principal components"
TRAINED, FINETUNED = "trained projection", "fine-tuned encoder"

MOST_TEXTS = 2000
"""Texts that principal components are fitted to, at most."""
MAX_TOKENS = 128
"""Token limit of a text, if the encoder takes as many."""
LEAST_LIKES = 2000
"""Likes below which nothing is trained."""
HEAD_STEPS = 1000
_EVALUATED = 300
"""Rankings by which training measures itself; the trials measure better."""


class TextVectors:
    """Vectors of one encoder; each text is encoded once."""

    def __init__(
        self, source: Path, dimensions: int, work: Path, seed: int, progress: Progress
    ) -> None:
        """Reads the encoder.

        Args:
            source: its Hugging Face directory.
            dimensions: length of the vectors, d.
            work: directory for what is trained.
            seed: seed of the training.
            progress: called as texts are encoded and as training advances.

        Raises:
            ConfigError: PyTorch is missing, or the encoder can't be read.
        """
        progress("Loading PyTorch", 0.0)
        with needs_extra("fit", "train"):  # Imports take seconds, and a server lacks the extra.
            from penchant.training.finetuning.trainable_encoder import read_encoder
        self._source, self._dimensions = source, dimensions
        self._work, self._seed, self._progress = work, seed, progress
        self._model = read_encoder(self._source)
        self.max_tokens = min(MAX_TOKENS, self._model.max_seq_length or MAX_TOKENS)
        """Token limit of a text, as the encoder is exported with."""
        self._model.max_seq_length = self.max_tokens
        width = self._model.get_embedding_dimension() or 0
        if dimensions > width:
            raise ConfigError(f"dimensions: got {dimensions}, expected 1 to the source's {width}")
        self._embeddings: dict[str, Matrix] = {}

    def of(self, kind: str, texts: Sequence[str]) -> Matrix:
        """Unit vectors of texts by one of the kinds that need no training, shape (n, d)."""
        from penchant.training.finetuning.trainable_encoder import unit
        from penchant.training.principal_components import principal_components

        embeddings = self._embedded(texts)
        if kind == FIRST_VALUES:
            return unit(embeddings[:, : self._dimensions])
        mean, axes, _ = principal_components(self._embedded(projection_texts(texts)))
        projected = (embeddings - mean) @ axes[: self._dimensions].T
        return unit(projected.astype(np.float32))

    def kinds(self, texts: Sequence[str]) -> list[str]:
        """The kinds that need no training and suit these texts, the default first."""
        enough = len(set(projection_texts(texts))) > 2 * self._dimensions
        return [COMPONENTS, FIRST_VALUES] if enough else [FIRST_VALUES]

    def trained(self, kind: str, part: Stream, minutes: float | None) -> tuple[Path, Matrix] | None:
        """Trains the projection, or the encoder with it, on a part of the log.

        Args:
            kind: TRAINED or FINETUNED.
            part: items and the events to train on.
            minutes: time limit; None: none.

        Returns:
            The encoder's directory and unit vectors of all items, shape (n, d); None if there are
            too few events, or the time was over before the end.
        """
        from penchant.training.finetuning.trainable_encoder import encode, read_encoder

        output = self._work / kind.replace(" ", "-")
        settings = FinetuneSettings(
            steps=0 if kind == TRAINED else 300,
            head_steps=HEAD_STEPS,
            dimensions=(self._dimensions,),
            test_fraction=0.0,
            max_evaluated=_EVALUATED,
            seed=self._seed,
        )
        if not output.is_dir():
            request = FinetuneRequest(
                output=output,
                stream=part,
                source=self._source,
                settings=settings,
                max_minutes=minutes,
            )
            try:
                finetune(request, TrainingProgress(on_stage=self._on_stage))
            except ConfigError:
                return None  # Too few events of too few users.
            if not output.is_dir():
                return None
        texts = [item.text for item in part.items]
        self._progress("Encoding texts with the trained encoder", 0.0)
        model = read_encoder(output)
        model.max_seq_length = self.max_tokens
        return output, encode(model, texts, self._dimensions)

    def _on_stage(self, stage: str) -> None:
        self._progress(f"Training: {stage}", 0.0)

    def _embedded(self, texts: Sequence[str]) -> Matrix:
        from penchant.training.finetuning.trainable_encoder import embed

        missing = [text for text in dict.fromkeys(texts) if text not in self._embeddings]
        step = f"Encoding {len(missing):,} texts"
        for start in range(0, len(missing), 64):
            self._progress(step, start / len(missing))
            batch = missing[start : start + 64]
            self._embeddings |= zip(batch, embed(self._model, batch), strict=True)
        return np.stack([self._embeddings[text] for text in texts])


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """How to export the encoder that a fit has chosen."""

    kind: str
    texts: Sequence[str]
    """Texts of the catalog."""
    dimensions: int
    max_tokens: int
    source: Path
    """Hugging Face directory of the encoder, trained or not."""

    def export(self, output: Path, progress: Progress) -> None:
        """Exports the encoder to a directory for a server.

        Raises:
            ConfigError: the encoder can't be exported; see `export_encoder`.
        """
        projected = projection_texts(self.texts) if self.kind == COMPONENTS else None
        request = ExportRequest(
            output=output,
            source=self.source,
            dimensions=self.dimensions,
            max_tokens=self.max_tokens,
            projection_texts=projected,
        )
        export_encoder(request, lambda stage: progress(f"Exporting the encoder: {stage}", 0.0))


def projection_texts(texts: Sequence[str]) -> list[str]:
    """Distinct texts, evenly spread, that principal components are fitted to."""
    distinct = list(dict.fromkeys(texts))
    return distinct[:: -(-len(distinct) // MOST_TEXTS)]
