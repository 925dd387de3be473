"""The home's encoder as an adapter of all-MiniLM-L6-v2: low-rank additions and a projection.

`ADAPTER` is a directory of this package, in the layout of PEFT and sentence-transformers, of half a
megabyte; `docs/measurements/home.md` has the commands that made it. It names no base, whose path
differs between machines: `write_source` makes a copy that does, for `export_encoder`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import sha256_of
from penchant.encoder.source import default_source
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import check_replaceable, whole_directory
from penchant.training.resumption import TRAINED_WEIGHTS

if TYPE_CHECKING:
    import torch

ADAPTER = Path(__file__).parent / "intents"
_CONFIG, _WEIGHTS, _HEAD_WEIGHTS = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "model.safetensors",
)
_HEAD, _BODY = "penchant_head.linear.", "0.model."
"""Prefixes of the names of weights in a checkpoint."""
_SCALE = 2
"""alpha / r of fine-tuning."""
Weights = dict[str, "torch.Tensor"]


def adapter_digest() -> str:
    """8 hex digits of the adapter's low-rank additions."""
    return sha256_of(ADAPTER / _WEIGHTS)[:8]


def write_source(directory: Path) -> Path:
    """Writes a copy of the adapter that names its base model, and returns the directory.

    Args:
        directory: directory to write; an existing one is replaced.

    Raises:
        ConfigError: the base model is not on this machine.
    """
    base = default_source()
    with whole_directory(directory) as made:
        shutil.copytree(ADAPTER, made, dirs_exist_ok=True)
        config = json.loads((made / _CONFIG).read_text(encoding="utf-8"))
        _write_config(made, {**config, "base_model_name_or_path": str(base)})
    return directory


def extract_adapter(trained: Path, output: Path) -> None:
    """Makes an adapter in the layout of `ADAPTER` from a training with `--method lora`.

    Args:
        trained: the encoder that a finished training wrote, or `checkpoint-N` in an unfinished
            one's directory, with the additions and the projection of all-MiniLM-L6-v2 to 64
            dimensions.
        output: directory to write; an adapter there is replaced. Additions are kept in fp16.

    Raises:
        ConfigError: the training has other weights, or the output holds other things.
    """
    check_replaceable(output, _CONFIG, "an adapter")
    with needs_extra("home", "train"):  # A server lacks the extra.
        from safetensors.torch import load_file, save_file
    dense = next(ADAPTER.glob("*_Dense"))
    if (trained / TRAINED_WEIGHTS).is_file():
        head, additions = _of_checkpoint(load_file(trained / TRAINED_WEIGHTS))
    elif (trained / _HEAD_WEIGHTS).is_file():
        head, additions = _of_finished(trained)
    else:
        raise ConfigError(
            f"extract: {trained} holds no {TRAINED_WEIGHTS} and no {_HEAD_WEIGHTS}, expected a "
            "checkpoint or a fine-tuned encoder"
        )
    known = load_file(dense / _HEAD_WEIGHTS)
    if {n: w.shape for n, w in head.items()} != {n: w.shape for n, w in known.items()}:
        raise ConfigError(
            f"extract: {trained} has no projection of the shape "
            f"{tuple(known['linear.weight'].shape)}, expected one of `--dimensions 64`"
        )
    if not additions:
        raise ConfigError(
            f"extract: {trained} has no low-rank additions, expected those of `--method lora`"
        )
    rank = next(weight for name, weight in additions.items() if "lora_A" in name).shape[0]
    with whole_directory(output) as made:
        shutil.copy(ADAPTER / "modules.json", made)
        for module in ADAPTER.glob("[0-9]_*"):
            (made / module.name).mkdir()
            shutil.copy(module / "config.json", made / module.name)
        save_file(head, made / dense.name / _HEAD_WEIGHTS)
        save_file(additions, made / _WEIGHTS)
        targets = {
            name.removeprefix("base_model.model.").rpartition(".lora_")[0] for name in additions
        }
        config = {
            "peft_type": "LORA",
            "task_type": "FEATURE_EXTRACTION",
            "base_model_name_or_path": "",
            "r": rank,
            "lora_alpha": _SCALE * rank,
            "target_modules": sorted(targets),
        }
        _write_config(made, config)


def _of_checkpoint(trained: Weights) -> tuple[Weights, Weights]:
    """The projection and the additions of a checkpoint."""
    head = {
        name.replace(_HEAD, "linear."): weight.contiguous()
        for name, weight in trained.items()
        if name.startswith(_HEAD)
    }
    additions = {
        name.replace(_BODY, "base_model.model.").replace(".default.", "."): weight.half()
        for name, weight in trained.items()
        if name.startswith(f"{_BODY}encoder.") and ".lora_" in name
    }
    return head, additions


def _of_finished(encoder: Path) -> tuple[Weights, Weights]:
    """The projection and the additions of an encoder that they were merged into."""
    from safetensors.torch import load_file

    from penchant.training.home.merged_additions import merged_additions

    projection = next(encoder.glob("*_Dense"), encoder)
    head = load_file(projection / _HEAD_WEIGHTS)
    tuned, base = (load_file(one / _HEAD_WEIGHTS) for one in (encoder, default_source()))
    found = merged_additions(tuned, base, _SCALE)
    return head, {name: weight.half() for name, weight in found.items()}


def _write_config(directory: Path, config: dict[str, object]) -> None:
    (directory / _CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
