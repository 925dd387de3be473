"""Continued pretraining: an encoder learns to predict masked tokens of a domain's texts.

It needs no events. J. Devlin et al., "BERT", 2019, section 3.1; on a domain's own texts:
S. Gururangan et al., "Don't stop pretraining", 2020.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.logs.refusals import LeftOut
from penchant.system.option_types import FLAT
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import whole_directory
from penchant.training.catalog_texts import CatalogSource, TextLines, catalog_texts, text_lines
from penchant.training.pretrain_settings import PretrainSettings
from penchant.training.resumption import checkpoints_of, last_checkpoint, note_inputs

OLD_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "onnx*")
"""Files of the source that the output does not repeat."""


@dataclass(frozen=True, slots=True)
class PretrainRequest:
    """A pretraining: the texts to read, the encoder to start from, and the output."""

    output: Path
    """Directory to write, for penchant finetune; it must not exist."""
    catalog: Annotated[CatalogSource, FLAT] = CatalogSource()
    texts: TextLines = None
    """More texts of the domain, one a line."""
    source: Annotated[Path | None, Parameter(show_default="all-MiniLM-L6-v2")] = None
    """Hugging Face directory of the encoder to start from."""
    settings: Annotated[PretrainSettings, FLAT] = PretrainSettings()
    report_to: str = "none"
    """Where to report metrics: tensorboard, wandb or none."""

    @property
    def checkpoints(self) -> Path:
        """Directory of an unfinished training, beside the output."""
        return checkpoints_of(self.output)


@dataclass(frozen=True, slots=True)
class PretrainReport:
    """The result of a pretraining."""

    before: float
    """Mean loss of masked tokens in the held-out texts before training, in nats."""
    after: float
    """The same loss after training."""
    steps: int
    """Steps trained, including those of interrupted runs."""
    left_out: tuple[str, ...] = ()
    """The catalog's rows that were refused or changed, a line each kind."""


def pretrain(
    request: PretrainRequest, on_step: Callable[[int], None] = lambda step: None
) -> PretrainReport:
    """Pretrains an encoder and writes a copy of its directory with the new weights.

    An interrupted run resumes from its last checkpoint when called again with the same request.

    Args:
        request: texts, encoder, settings and output.
        on_step: called with the number of each finished step, from 1.

    Raises:
        ConfigError: there is nothing to read, there are too few texts, the architecture has no
            masked-language-model head, the output exists, or the training in progress has other
            inputs.
    """
    left_out = LeftOut()
    given = [*text_lines(request.texts, "texts"), *catalog_texts(request.catalog, left_out)]
    if not given:
        raise ConfigError("nothing to read: name --items, --dataset movielens or --texts")
    if request.output.exists():
        raise ConfigError(f"output: {request.output} exists already; name another directory")
    source, settings = request.source or default_source(), request.settings
    texts = sorted({text for text in given if text.strip()})
    held_out = max(1, round(settings.held_out_share * len(texts)))
    if len(texts) <= held_out:
        raise ConfigError(f"texts: got {len(texts)} different ones, expected two or more")
    order = np.random.default_rng(settings.seed).permutation(len(texts))
    shuffled = [texts[place] for place in order]
    with needs_extra("pretrain", "train"):  # Imports take seconds, and a server lacks the extra.
        from penchant.training.library_output import quiet_transformers
        from penchant.training.masked_tokens import MaskedTokens
    with quiet_transformers():
        training = MaskedTokens(source, settings)
        _note_inputs(request, source, texts)
        before = training.loss(shuffled[:held_out])
        resumed = last_checkpoint(request.checkpoints)
        steps = training.run(
            shuffled[held_out:], request.checkpoints, request.report_to, resumed, on_step
        )
        after = training.loss(shuffled[:held_out])
        with whole_directory(request.output) as made:
            ignore = shutil.ignore_patterns(*OLD_WEIGHTS)
            shutil.copytree(source, made, ignore=ignore, dirs_exist_ok=True)
            training.save(made)
    shutil.rmtree(request.checkpoints)
    return PretrainReport(before, after, steps, tuple(left_out.notes()))


def _note_inputs(request: PretrainRequest, source: Path, texts: Sequence[str]) -> None:
    inputs: dict[str, object] = {
        "settings": dataclasses.asdict(request.settings),
        "source": str(source.resolve()),
        "texts": hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest(),
    }
    note_inputs(request.checkpoints, inputs)
