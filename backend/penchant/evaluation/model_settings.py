"""The encoder and the settings that an evaluation shares with a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.config import Config, parse
from penchant.launch.model_parameters import HOME
from penchant.system.option_types import Pairs, pairs_of


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The encoder and the settings of the models, as a server would have them."""

    encoder: Path = HOME / "encoder"
    """Directory of the encoder, as `penchant export` writes it."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""

    def config(self) -> Config:
        """The parsed settings; see `config_of`."""
        return config_of(self.encoder, self.settings)


def config_of(encoder: Path, settings: Sequence[str]) -> Config:
    """Parses a server's settings, except for its store, which is never opened.

    Args:
        encoder: directory of the encoder; it need not exist yet.
        settings: entries KEY=VALUE; the last one of a key wins.

    Raises:
        ConfigError: an entry is not KEY=VALUE, its key is unknown, or its value is out of range.
    """
    given = pairs_of("--set", settings)
    return parse({"store": "memory:", "encoder": str(encoder), **given})
