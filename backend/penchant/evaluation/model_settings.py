"""The encoder and the settings that an evaluation shares with a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.config import Config, parse
from penchant.launch.model_parameters import HOME, KEPT_ENCODER, kept_settings_at
from penchant.server.kept_settings import settled
from penchant.system.option_types import ENCODER_IN_USE, Pairs, pairs_of


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The encoder and the settings of the models, as a server would have them."""

    encoder: Annotated[Path | None, ENCODER_IN_USE, Parameter(show_default=KEPT_ENCODER)] = None
    """Directory of the encoder, as `penchant export` writes it."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""

    def config(self, store: str = "") -> Config:
        """The parsed settings; see `config_of`."""
        return config_of(self.encoder, self.settings, store)


def config_of(encoder: Path | None, settings: Sequence[str], store: str = "") -> Config:
    """Parses the settings of a server, which may be those that a store keeps.

    Args:
        encoder: directory of the encoder, which need not exist yet; None: that of the store's
            server, or the default one.
        settings: entries KEY=VALUE, which go before the store's; the last one of a key wins.
        store: address of the store whose log is read; empty: another log.

    Raises:
        ConfigError: an entry is not KEY=VALUE, its key is unknown, or its value is out of range.
    """
    given, kept = pairs_of("--set", settings), kept_settings_at(store)
    directory = encoder or Path((kept or {}).get("encoder") or HOME / "encoder")
    return settled(parse({"store": "memory:", "encoder": str(directory), **given}), kept)
