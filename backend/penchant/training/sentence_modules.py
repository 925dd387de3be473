"""The modules and options of a directory in the layout of sentence-transformers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from penchant.domain.errors import ConfigError

POOLINGS = ("mean", "cls", "max", "lasttoken", "mean_sqrt_len_tokens", "weightedmean")
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "Identity": nn.Identity,
    "Tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "Sigmoid": nn.Sigmoid,
    "SiLU": nn.SiLU,
    "ELU": nn.ELU,
    "LeakyReLU": nn.LeakyReLU,
}
"""Modules of torch with their defaults; sentence-transformers trusts none but torch's."""

_OF_TRANSFORMER = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
"""Files of the options of the first module; the first that is there counts."""


_DENSE_OPTIONS = {
    "use_residual": False,
    "module_input_name": "sentence_embedding",
    "module_output_name": "sentence_embedding",
}
"""Options of a Dense module that are not exported, with the value that changes nothing."""


class Dense(nn.Module):
    """The Dense module of sentence-transformers: a linear layer and an activation."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        super().__init__()
        path = str(config.get("activation_function", "torch.nn.Tanh"))
        activation = path.rsplit(".", 1)[-1]
        if activation not in ACTIVATIONS or not path.startswith("torch."):
            raise ConfigError(
                f"source: {directory}: activation_function: got {path!r}, expected one of torch's "
                f"{', '.join(ACTIVATIONS)}"
            )
        for option, usual in _DENSE_OPTIONS.items():
            if config.get(option) not in (None, usual):
                raise ConfigError(
                    f"source: {directory}: {option}: got {config[option]!r}, expected {usual!r}; "
                    "this Dense module can't be exported"
                )
        bias = bool(config.get("bias", True))
        self.linear = nn.Linear(int(config["in_features"]), int(config["out_features"]), bias=bias)
        self.activation = ACTIVATIONS[activation]()
        try:
            self.load_state_dict(_weights(directory))
        except (RuntimeError, OSError, ValueError) as error:
            why = " ".join(str(error).split())[:300]
            raise ConfigError(f"source: the weights of {directory} can't be read: {why}") from error

    def forward(self, vectors: Tensor) -> Tensor:
        """Maps shape (batch, in_features) to (batch, out_features)."""
        return cast(Tensor, self.activation(self.linear(vectors)))


class Normalize(nn.Module):
    """The Normalize module of sentence-transformers."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Normalizes rows to norm 1, shape (batch, hidden)."""
        return nn.functional.normalize(vectors, dim=-1)


@dataclass(frozen=True, slots=True)
class SentenceModules:
    """What a directory does with token vectors, and how it reads a text."""

    pooling: str
    """One of `POOLINGS`."""
    head: nn.Sequential
    """The modules behind the pooling."""
    pools_prompt: bool
    """Whether the tokens of the prompt are pooled too."""
    max_tokens: int | None
    """Token limit of a text; None: the tokenizer's own."""
    lower_case: bool
    """Whether a text is turned into lower case first."""


def read_modules(source: Path) -> SentenceModules | None:
    """Reads the modules of a directory, as listed in modules.json; None without one.

    Raises:
        ConfigError: a file can't be read, or a module or an option of it can't be exported.
    """
    pooling, pools_prompt, head = "mean", True, nn.Sequential()
    if not (source / "modules.json").is_file():
        return None
    for row in _json(source / "modules.json"):
        kind, directory = str(row["type"]).rsplit(".", 1)[-1], source / str(row["path"])
        if kind == "Pooling":
            config = _json(directory / "config.json")
            pooling = _pooling(directory / "config.json", config)
            pools_prompt = bool(config.get("include_prompt", True))
        elif kind == "Dense":
            head.append(Dense(directory, _json(directory / "config.json")))
        elif kind == "Normalize":
            head.append(Normalize())
        elif kind != "Transformer":
            raise ConfigError(
                f"source: {directory}: a {kind} module can't be exported, expected Transformer, "
                "Pooling, Dense and Normalize"
            )
    options = next((path for name in _OF_TRANSFORMER if (path := source / name).is_file()), None)
    found = _json(options) if options else {}
    limit = found.get("max_seq_length")
    return SentenceModules(
        pooling=pooling,
        head=head,
        pools_prompt=pools_prompt,
        max_tokens=None if limit is None else int(limit),
        lower_case=bool(found.get("do_lower_case")),
    )


def _weights(directory: Path) -> dict[str, Tensor]:
    if (directory / "model.safetensors").is_file():
        return load_file(directory / "model.safetensors")
    path = directory / "pytorch_model.bin"
    if not path.is_file():
        raise OSError("there is neither model.safetensors nor pytorch_model.bin")
    return cast(dict[str, Tensor], torch.load(path, map_location="cpu", weights_only=True))


def _pooling(path: Path, config: dict[str, Any]) -> str:
    old = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max"}
    modes = config.get("pooling_mode") or [
        old.get(name.removeprefix("pooling_mode_"), name.removeprefix("pooling_mode_"))
        for name, used in config.items()
        if name.startswith("pooling_mode_") and used
    ]
    modes = [modes] if isinstance(modes, str) else modes or ["mean"]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        expected = ", ".join(POOLINGS)
        raise ConfigError(f"source: {path}: pooling: got {modes}, expected one of {expected}")
    return str(modes[0])


def read_prompt(source: Path) -> str:
    """The prompt that sentence-transformers prepends to each text by default; empty without one.

    Raises:
        ConfigError: its configuration can't be read.
    """
    path = source / "config_sentence_transformers.json"
    config = _json(path) if path.is_file() else {}
    return str((config.get("prompts") or {}).get(config.get("default_prompt_name"), ""))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"source: {path} can't be read: {error}") from error
