"""The modules of a directory in the layout of sentence-transformers: pooling, Dense, Normalize."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from safetensors.torch import load_file
from torch import Tensor, nn

from penchant.domain.errors import ConfigError

POOLINGS = ("mean", "cls", "max", "lasttoken")
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "Identity": nn.Identity,
    "Tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "GELU": nn.GELU,
    "Sigmoid": nn.Sigmoid,
}


class Dense(nn.Module):
    """The Dense module of sentence-transformers: a linear layer and an activation."""

    def __init__(self, directory: Path, config: dict[str, Any]) -> None:
        super().__init__()
        activation = str(config.get("activation_function", "Tanh")).rsplit(".", 1)[-1]
        if activation not in ACTIVATIONS or config.get("use_residual"):
            raise ConfigError(f"source: {directory}: this Dense module can't be exported")
        bias = bool(config.get("bias", True))
        self.linear = nn.Linear(int(config["in_features"]), int(config["out_features"]), bias=bias)
        self.activation = ACTIVATIONS[activation]()
        self.load_state_dict(load_file(directory / "model.safetensors"))

    def forward(self, vectors: Tensor) -> Tensor:
        """Maps shape (batch, in_features) to (batch, out_features)."""
        return cast(Tensor, self.activation(self.linear(vectors)))


class Normalize(nn.Module):
    """The Normalize module of sentence-transformers."""

    def forward(self, vectors: Tensor) -> Tensor:
        """Normalizes rows to norm 1, shape (batch, hidden)."""
        return nn.functional.normalize(vectors, dim=-1)


def read_modules(source: Path) -> tuple[str, nn.Sequential] | None:
    """Reads the pooling and the modules after it, as listed in modules.json.

    Returns:
        One of `POOLINGS`, and the modules; None without a modules.json.

    Raises:
        ConfigError: a file can't be read, or a module can't be exported.
    """
    pooling, head = "mean", nn.Sequential()
    if not (source / "modules.json").is_file():
        return None
    for row in _json(source / "modules.json"):
        kind, directory = str(row["type"]).rsplit(".", 1)[-1], source / str(row["path"])
        if kind == "Pooling":
            pooling = _pooling(directory / "config.json")
        elif kind == "Dense":
            head.append(Dense(directory, _json(directory / "config.json")))
        elif kind == "Normalize":
            head.append(Normalize())
        elif kind != "Transformer":
            raise ConfigError(f"source: {directory}: a {kind} module can't be exported")
    return pooling, head


def _pooling(path: Path) -> str:
    config = _json(path)
    old = {"mean_tokens": "mean", "cls_token": "cls", "max_tokens": "max"}
    modes = config.get("pooling_mode") or [
        old.get(name.removeprefix("pooling_mode_"), name)
        for name, used in config.items()
        if name.startswith("pooling_mode_") and used
    ]
    modes = [modes] if isinstance(modes, str) else modes
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
