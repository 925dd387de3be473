"""From what a command was given to the parameters of the models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penchant import config
from penchant.launch.errors import LaunchError
from penchant.launch.layout import check_path

HOME = Path(".penchant")
"""Where a server keeps its files by default, in the current directory."""

_PATHS = ("store", "encoder", "catalog_dir")


def gather(
    store: str | None, encoder: Path | None, extra: Sequence[str] = (), home: Path = HOME
) -> dict[str, str]:
    """The parameters of every model, checked as the models will check them.

    Args:
        store: address of the store; default: `lmdb:` and `store` in `home`.
        encoder: the encoder's directory; default: `encoder` in `home`, if there is one.
        extra: more settings, each as `key=value`.
        home: where the defaults are.

    Returns:
        Names and values, with absolute paths.

    Raises:
        LaunchError: no encoder, a store that the models can't share, a setting without `=`, or a
            path that they can't open.
        ConfigError: a setting that Penchant does not have, or a value that does not fit.
    """
    settings = {"store": _store(store or f"lmdb:{home / 'store'}")}
    if encoder is None and (home / "encoder").is_dir():
        encoder = home / "encoder"
    if encoder is not None:
        settings["encoder"] = str(encoder.absolute())
    for setting in extra:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise LaunchError(f"--set: got {setting!r}, expected key=value")
        settings[name.strip()] = value
    if "encoder" not in settings:
        raise LaunchError(
            f"encoder: none is given and there is none in {home / 'encoder'}; make one with "
            f"`penchant export --output {home / 'encoder'}`, or name one with --encoder"
        )
    for name in _PATHS:
        check_path(name, settings.get(name, ""))
    config.parse(settings)
    return settings


def _store(address: str) -> str:
    engine, _, place = address.partition(":")
    if engine == "memory":
        raise LaunchError(
            "store: got memory:, which the models' processes can't share; expected lmdb:DIRECTORY"
        )
    return f"lmdb:{Path(place).absolute()}" if engine == "lmdb" and place else address
