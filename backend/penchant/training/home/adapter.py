"""The home's encoder as what it adds to all-MiniLM-L6-v2: low-rank additions and a projection.

`ADAPTER` is a directory of this package, as PEFT and sentence-transformers lay one out, of half a
megabyte. `docs/measurements/home.md` has the commands that made it. It names no base, whose path
differs between machines: `source` writes a copy that names it, for `penchant export`.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from penchant.encoder.bundle import sha256_of
from penchant.encoder.source import default_source

ADAPTER = Path(__file__).parent / "intents"
_CONFIG, _WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_HEAD = "penchant_head.linear."
_BODY = "0.model."


def digest() -> str:
    """8 hex digits of the additions; another adapter, another digest."""
    return sha256_of(ADAPTER / _WEIGHTS)[:8]


def source(directory: Path) -> Path:
    """Writes the adapter with its base named, for `export`; returns the directory.

    Args:
        directory: to write; what is there is replaced.

    Raises:
        ConfigError: the base model is not on this machine.
    """
    base = default_source()
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(ADAPTER, directory)
    config = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = str(base)
    (directory / _CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return directory


def extract(checkpoint: Path, layout: Path, output: Path) -> None:
    """Makes an adapter of a checkpoint of `penchant finetune --method lora`.

    Args:
        checkpoint: `checkpoint-N` in `OUTPUT.training`, which holds what learns and nothing else.
        layout: An output of `penchant finetune` of the same width, for its modules' description.
        output: to write; additions are kept in half precision.
    """
    from safetensors.torch import load_file, save_file

    learnt = load_file(checkpoint / "trained.safetensors")
    dense = next(layout.glob("*_Dense"))
    output.mkdir(parents=True, exist_ok=True)
    shutil.copy(layout / "modules.json", output)
    for module in layout.glob("[0-9]_*"):
        (output / module.name).mkdir(exist_ok=True)
        shutil.copy(module / "config.json", output / module.name)
    head = {
        name.replace(_HEAD, "linear."): tensor.contiguous()
        for name, tensor in learnt.items()
        if name.startswith(_HEAD)
    }
    save_file(head, output / dense.name / "model.safetensors")
    additions = {
        name.replace(_BODY, "base_model.model.").replace(".default.", "."): tensor.half()
        for name, tensor in learnt.items()
        if name.startswith(f"{_BODY}encoder.")
    }
    save_file(additions, output / _WEIGHTS)
    rank = next(tensor for name, tensor in additions.items() if "lora_A" in name).shape[0]
    config = {
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": "",
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": sorted(
            {name.removeprefix("base_model.model.").rpartition(".lora_")[0] for name in additions}
        ),
    }
    (output / _CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
