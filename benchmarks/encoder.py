"""An encoder for a server that is only measured: one that is there, else the default, exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import read_bundle
from penchant.encoder.source import default_source
from penchant.launch.model_parameters import HOME

EXPORTED = Path("out/encoder")
"""Where the default encoder is exported, once."""


def encoder_directory(given: Path | None, say: Callable[[str], None]) -> Path:
    """The directory of an encoder.

    Args:
        given: the one to use; None: the one in `.penchant`, else the one exported before, else the
            default, which is exported now (half a minute).
        say: told what begins.

    Raises:
        ConfigError: the given one can't be read, or there is none to export.
    """
    if given is not None:
        return read_bundle(given).directory.resolve()
    for directory in (HOME / "encoder", EXPORTED):
        try:
            return read_bundle(directory).directory.resolve()
        except ConfigError:
            continue
    from penchant.training.export import export  # Here: PyTorch takes seconds to load.

    say("Exporting the default encoder, once")
    return export(default_source(), EXPORTED).directory.resolve()
