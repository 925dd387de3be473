"""The items' text vectors of a trial: of one exported encoder, or of one fine-tuned for it."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.stream import Stream
from penchant.tuning.objective import Vectors
from penchant.tuning.space import Part, Values, of_part


def exported(config: Config, stream: Stream) -> tuple[Vectors, str]:
    """Encodes the items once, by the encoder of the settings; the vectors and its version."""
    encoder = OnnxEncoder.load(config.encoder, threads=config.encoder_threads)
    vectors = encoder.encode([item.text for item in stream.items])
    return lambda values: vectors, encoder.version


def finetuned(
    stream: Stream,
    source: Path,
    steps: int,
    seed: int,
    dimensions: int = 64,
    head_steps: int = 2000,
) -> tuple[Vectors, str]:
    """Fine-tunes an encoder for each trial, by low-rank additions.

    Args:
        stream: what it learns from, the events that are ranked for not among them.
        source: Hugging Face directory to start from.
        steps: of the encoder, at most; 0: only the projection learns.
        seed: of the training.
        dimensions: length of the vectors.
        head_steps: of the projection alone, before.

    Returns:
        The vectors, of which the last ones are kept, and the source's version.

    Raises:
        ConfigError: the packages for it are missing, or the source can't be read.
    """
    try:  # Only here: it takes seconds, and most searches need none of it.
        from penchant.training.finetuning.finetune import FinetuneRequest, finetune
        from penchant.training.finetuning.finetune_settings import FinetuneSettings
        from penchant.training.finetuning.trainable_encoder import encode, read_encoder
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"finetune: the package {error.name} is missing; `pip install 'penchant[train]'`"
        ) from error
    base = FinetuneSettings(
        method="lora",
        learning_rate=1e-3,
        steps=steps,
        seed=seed,
        test_fraction=0.0,
        dimensions=(dimensions,),
        head_steps=head_steps,
    )
    texts = [item.text for item in stream.items]
    last: dict[FinetuneSettings, Matrix] = {}

    def vectors(values: Values) -> Matrix:
        settings = dataclasses.replace(base, **of_part(values, Part.FINETUNE))
        if settings not in last:
            with tempfile.TemporaryDirectory(prefix="penchant-tune-") as temporary:
                output = Path(temporary) / "encoder"
                request = FinetuneRequest(
                    output=output, stream=stream, source=source, settings=settings
                )
                finetune(request)
                last.clear()
                last[settings] = encode(read_encoder(output), texts, settings.width)
        return last[settings]

    return vectors, _version(source)


def _version(directory: Path) -> str:
    """16 hex digits of what a directory's files hold."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(directory).as_posix().encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
