"""Adds a release's encoder to the model repository of a stock Triton, for ONNX Runtime or TensorRT.

    <repository>/penchant_text_encoder/config.pbtxt
    <repository>/penchant_text_encoder/<version>/model.onnx     and tokenizer.json beside it

This serves the encoder alone, without Penchant's backend: tokens in, vectors out. Each release is
the next version of the model, and the configuration serves the latest.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import INPUTS, OUTPUT, TOKENIZER, Bundle, read_bundle
from penchant.encoder.engines import EngineNote, read_notes
from penchant.system.durable_file import write_whole

MODEL = "penchant_text_encoder"

_HEAD = "# Encoder "
"""How the configuration begins, since the first release that wrote one."""


def write_model_version(repository: Path, encoder: Path) -> Path:
    """Adds an encoder to a model repository as the next version of its model.

    An engine of the data centre's TensorRT is preferred to the ONNX graph. Engines of TensorRT for
    RTX are ignored, since a stock Triton can't load them.

    Args:
        repository: the model repository; made if it does not exist. Its other models stay as they
            are.
        encoder: directory that `penchant export` wrote.

    Returns:
        The version's folder, which appears whole or not at all.

    Raises:
        ConfigError: the encoder is not whole, the repository can't be written, or it holds somebody
            else's model of that name.
    """
    check_repository(repository)
    bundle = read_bundle(encoder)
    notes = [note for note in read_notes(encoder) if note.runtime == "tensorrt"]
    plan = notes[0] if notes else None
    model = repository / MODEL
    try:
        model.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.name) for p in model.iterdir() if p.name.isdigit()), default=0)
        made = model / f".{number}.{os.getpid()}"
        made.mkdir()
        shutil.copy2(plan.path(encoder) if plan else bundle.graph, made / _file(plan))
        shutil.copy2(bundle.tokenizer, made / TOKENIZER)
        made.rename(model / str(number))
        write_whole(model / "config.pbtxt", config_of(bundle, plan))
    except OSError as error:
        raise ConfigError(f"--triton: {repository} can't be written: {error}") from error
    return model / str(number)


def check_repository(repository: Path) -> None:
    """Refuses a model repository in which somebody else's model has the encoder's name.

    Raises:
        ConfigError: it has, or can't be read.
    """
    model = repository / MODEL
    config = model / "config.pbtxt"
    try:
        if config.is_file():
            ours = config.read_text(encoding="utf-8", errors="replace").startswith(_HEAD)
        else:  # Of a publication that was cut short, there may be a version without it.
            ours = not model.exists() or all(
                one.name.startswith(".") or (one / TOKENIZER).is_file() for one in model.iterdir()
            )
    except OSError as error:
        raise ConfigError(f"--triton: {model} can't be read: {error.strerror}") from error
    if not ours:
        raise ConfigError(
            f"--triton: {model} exists and is not Penchant's; move it away, or name another model "
            "repository"
        )


def config_of(bundle: Bundle, plan: EngineNote | None) -> str:
    """Writes the text of the model's `config.pbtxt`."""
    engine = 'platform: "tensorrt_plan"' if plan else 'backend: "onnxruntime"'
    texts = plan.profiles[-1].most_texts if plan else 64
    inputs = ",\n".join(
        f'  {{ name: "{name}", data_type: TYPE_INT64, dims: [ -1 ] }}' for name in INPUTS
    )
    settings = bundle.settings
    return f"""{_HEAD}{bundle.version}, {settings.source}: at most {settings.max_tokens} tokens.
name: "{MODEL}"
{engine}
max_batch_size: {texts}
input [
{inputs}
]
output [ {{ name: "{OUTPUT}", data_type: TYPE_FP32, dims: [ {settings.dimensions} ] }} ]
dynamic_batching {{ max_queue_delay_microseconds: 0 }}
version_policy {{ latest {{ num_versions: 1 }} }}
"""


def _file(plan: EngineNote | None) -> str:
    return "model.plan" if plan else "model.onnx"
