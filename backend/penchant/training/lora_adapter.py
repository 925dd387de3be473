"""Merges a LoRA adapter, saved apart from its base model, into the base's weights for export.

PEFT and sentence-transformers save an adapter as `adapter_config.json`, which names the base model,
and `adapter_model.safetensors`. Hu et al., "LoRA: low-rank adaptation of large language models"
(2021): W + s B A; merged weights cost nothing at serving time.
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
    """The directory of the base model of a source's adapter; the source itself without one.

    A source that holds a whole model beside the adapter is its own base. Otherwise
    adapter_config.json names the base: a directory, absolute, or relative to the working directory
    or to the source.

    Raises:
        ConfigError: the adapter is not a LoRA, or its base is not on this machine.
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
            f"source: {source / CONFIG}: peft_type: got {kind!r}, expected 'LORA', the only kind "
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
        f"with config.json on this machine, since nothing is downloaded; fetch the base model and "
        f"set base_model_name_or_path in {source / CONFIG} to its directory"
    )


@contextmanager
def without_adapter(base: Path) -> Iterator[Path]:
    """A directory of a base's files without an adapter, which would be applied unmerged."""
    if not has_adapter(base):
        yield base
        return
    with tempfile.TemporaryDirectory(prefix="penchant-base-") as temporary:
        for path in base.iterdir():
            if path.is_file() and not path.name.startswith("adapter_"):
                (Path(temporary) / path.name).symlink_to(path.resolve())
        yield Path(temporary)


def merge_adapter(body: PreTrainedModel, source: Path) -> PreTrainedModel:
    """Merges a source's adapter into a model, which is changed and returned.

    Raises:
        ConfigError: a weight of the adapter does not fit the model, or can't be merged.
    """
    try:
        config: Any = LoraConfig.from_pretrained(str(source))
        config.inference_mode = True
        with warnings.catch_warnings():
            # PEFT 0.21 uses a name that Transformers 5.23 deprecates.
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            adapted: Any = PeftModel(body, config)
        # Not PeftModel.from_pretrained, which only warns of weights without a place.
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
