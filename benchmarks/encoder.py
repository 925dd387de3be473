"""The encoder of a benchmarked server: one that exists, or else the default encoder, exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import read_bundle
from penchant.launch.model_parameters import HOME
from penchant.training.export import ExportRequest, export_encoder

EXPORTED = Path("out/encoder")
"""Directory that the default encoder is exported to, once."""


def encoder_directory(given: Path | None, say: Callable[[str], None]) -> Path:
    """Finds or makes the directory of an encoder.

    Args:
        given: the directory to use; None: the one in `.penchant`, or one exported earlier, or the
            default encoder, exported now in half a minute.
        say: called with a line before an export.

    Raises:
        ConfigError: the given directory can't be read, or there is nothing to export.
    """
    if given is not None:
        return read_bundle(given).directory.resolve()
    for directory in (HOME / "encoder", EXPORTED):
        try:
            return read_bundle(directory).directory.resolve()
        except ConfigError:
            continue
    say("Exporting the default encoder, once")
    return export_encoder(ExportRequest(output=EXPORTED)).directory.resolve()
