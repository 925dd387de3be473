"""A LoRA adapter that was saved apart from the weights it belongs to, merged into them; for export.

As PEFT and sentence-transformers write it: `adapter_config.json`, which names the base model, and
`adapter_model.safetensors`. Hu et al., "LoRA: low-rank adaptation of large language models" (2021):
W + s B A, where merged weights cost no time when they serve.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from peft import LoraConfig, PeftModel
from safetensors import SafetensorError
from transformers import PreTrainedModel

from penchant.domain.errors import ConfigError

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def has_adapter(directory: Path) -> bool:
    """Whether a directory holds an adapter."""
    return (directory / CONFIG).is_file()


def base_of(source: Path) -> Path:
    """The directory of the model below a source's adapter; the source itself if it has no adapter.

    A source with the whole model beside its adapter is its own base. Otherwise adapter_config.json
    names the base: a directory, absolute, from here, or from the source.

    Raises:
        ConfigError: the adapter is no LoRA, or its base is no model on this machine.
    """
    if not has_adapter(source):
        return source
    try:
        config = json.loads((source / CONFIG).read_text(encoding="utf-8"))
        kind, name = config["peft_type"], config.get("base_model_name_or_path") or ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"source: {source / CONFIG} can't be read: {error!r}") from error
    if kind != "LORA":
        raise ConfigError(
            f"source: {source / CONFIG}: peft_type: got {kind!r}, expected 'LORA', which alone is "
            "merged at export; merge the adapter with PEFT and save the whole model"
        )
    if not (source / WEIGHTS).is_file():
        raise ConfigError(f"source: {source} holds {CONFIG} but no {WEIGHTS}; save both with PEFT")
    if (source / "config.json").is_file() and any(_weights(source)):
        return source
    for base in (Path(name), source / name):
        if name and (base / "config.json").is_file():
            if has_adapter(base):
                raise ConfigError(
                    f"source: {source}: its base {base} has an adapter of its own, expected none; "
                    "merge that one with PEFT and save the whole model"
                )
            return base
    raise ConfigError(
        f"source: {source} is a LoRA adapter without its base model {name!r}: expected a directory "
        f"with config.json on this machine, as nothing is downloaded; fetch the base model and set "
        f"base_model_name_or_path in {source / CONFIG} to its directory"
    )


@contextmanager
def without_adapter(base: Path) -> Iterator[Path]:
    """A directory with a base's files but for an adapter, which transformers puts on unmerged."""
    if not has_adapter(base):
        yield base
        return
    with tempfile.TemporaryDirectory(prefix="penchant-base-") as temporary:
        for path in base.iterdir():
            if path.is_file() and not path.name.startswith("adapter_"):
                (Path(temporary) / path.name).symlink_to(path.resolve())
        yield Path(temporary)


def merge_adapter(body: PreTrainedModel, source: Path) -> PreTrainedModel:
    """Adds a source's adapter to the weights below it; the body is changed and given back.

    Raises:
        ConfigError: the adapter does not fit the body, weight by weight, or can't be merged.
    """
    try:
        config: Any = LoraConfig.from_pretrained(str(source))
        config.inference_mode = True
        with warnings.catch_warnings():
            # PEFT 0.21 asks transformers 5.23 by a name that it is about to drop.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            adapted: Any = PeftModel(body, config)
        # Loaded by hand, as PeftModel.from_pretrained only warns of weights that found no place.
        found = adapted.load_adapter(str(source), "default", torch_device="cpu")
        strays = [*found.missing_keys, *found.unexpected_keys]
        if strays:
            raise ValueError(f"{len(strays)} weights are missing or have no place: {strays[0]}")
        return cast(PreTrainedModel, adapted.merge_and_unload(safe_merge=True))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ConfigError(
            f"source: the adapter in {source} does not fit {type(body).__name__}: {error}"
        ) from error


def _weights(directory: Path) -> Iterator[Path]:
    yield from directory.glob("model*.safetensors")
    yield from directory.glob("pytorch_model*.bin")
