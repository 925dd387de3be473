"""The options of a command as parameters of the models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from penchant import config
from penchant.launch.errors import LaunchError
from penchant.launch.layout import check_path

HOME = Path(".penchant")
"""Default directory of a server's files, inside the current directory."""

_PATHS = ("store", "encoder", "catalog_dir")


def gather(
    store: str | None, encoder: Path | None, extra: Sequence[str] = (), home: Path = HOME
) -> dict[str, str]:
    """The parameters of every model, checked as the models will check them.

    Args:
        store: address of the store; default: `lmdb:` and `store` in `home`.
        encoder: directory of the encoder; default: `encoder` in `home`, if it exists.
        extra: more settings, each as `key=value`.
        home: directory of the defaults.

    Returns:
        Values by name, with absolute paths.

    Raises:
        LaunchError: there is no encoder, the models cannot share the store, a setting has no `=`,
            or the models cannot open a path.
        ConfigError: an unknown setting, or a value outside its range.
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
            f"encoder: none given, and none in {home / 'encoder'}; make one with "
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
            "store: got memory:, which the models' processes cannot share; expected lmdb:DIRECTORY"
        )
    return f"lmdb:{Path(place).absolute()}" if engine == "lmdb" and place else address
