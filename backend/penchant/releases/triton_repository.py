"""A release's encoder as a model of a stock Triton: ONNX Runtime's backend or TensorRT's.

    <repository>/penchant_text_encoder/config.pbtxt
    <repository>/penchant_text_encoder/<version>/model.onnx     and tokenizer.json beside it

For those who want the encoder alone in a Triton without Penchant's backend. Tokens in, vectors out;
each release is the next version, and the configuration serves the latest.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import INPUTS, OUTPUT, TOKENIZER, Bundle, read_bundle
from penchant.encoder.engines import EngineNote, read_notes

MODEL = "penchant_text_encoder"


def write_model_version(repository: Path, encoder: Path) -> Path:
    """Adds an encoder to a model repository as the next version of its model.

    An engine of the data centre's TensorRT goes before the ONNX graph where one is there; those of
    TensorRT for RTX are no plans that a stock Triton loads.

    Args:
        repository: made where absent; other models in it are left alone.
        encoder: a directory as `penchant export` writes it.

    Returns:
        The version's folder, which appears whole or not at all.

    Raises:
        ConfigError: the encoder is not whole, or the repository can't be written.
    """
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
        fresh = model / ".config.pbtxt.new"
        fresh.write_text(config_of(bundle, plan), encoding="utf-8")
        fresh.replace(model / "config.pbtxt")
    except OSError as error:
        raise ConfigError(f"--triton: {repository} can't be written: {error}") from error
    return model / str(number)


def config_of(bundle: Bundle, plan: EngineNote | None) -> str:
    """The model's `config.pbtxt`."""
    engine = 'platform: "tensorrt_plan"' if plan else 'backend: "onnxruntime"'
    texts = plan.profiles[-1].most_texts if plan else 64
    inputs = ",\n".join(
        f'  {{ name: "{name}", data_type: TYPE_INT64, dims: [ -1 ] }}' for name in INPUTS
    )
    settings = bundle.settings
    return f"""# Encoder {bundle.version}, {settings.source}: at most {settings.max_tokens} tokens.
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
