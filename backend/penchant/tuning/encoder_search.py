"""Text vectors for a trial, from one exported encoder or from one fine-tuned for the trial."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path

from penchant.config import Config
from penchant.domain.types import Matrix
from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.stream import Stream
from penchant.system.optional_package import needs_extra
from penchant.tuning.objective import Vectors
from penchant.tuning.space import ParameterGroup, Values, in_group


def exported(config: Config, stream: Stream) -> tuple[Vectors, str]:
    """Encodes the items once with the encoder of the settings.

    Returns:
        The vectors, the same for all values, and the version of the encoder.

    Raises:
        ConfigError: there is no encoder in its directory.
    """
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
    """Fine-tunes an encoder for each trial, by low-rank adaptation.

    Args:
        stream: events to learn from, without those that are ranked for.
        source: Hugging Face directory to start from.
        steps: upper limit of training steps of the encoder; 0: only the projection learns.
        seed: seed of the training.
        dimensions: length of the vectors, d.
        head_steps: training steps of the projection alone, before those of the encoder.

    Returns:
        The vectors by values, of which the latest are cached, and the version of the source.

    Raises:
        ConfigError: the packages for training are missing, or the source can't be read.
    """
    with needs_extra("finetune", "train"):  # Only here: the imports take seconds.
        from penchant.training.finetuning.finetune import FinetuneRequest, finetune
        from penchant.training.finetuning.finetune_settings import FinetuneSettings
        from penchant.training.finetuning.trainable_encoder import encode, read_encoder
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
        settings = dataclasses.replace(base, **in_group(values, ParameterGroup.FINETUNE))
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
    """16 hex digits over the names and contents of a directory's files."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(directory).as_posix().encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
