"""The options of a command as parameters of the models."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from penchant import config
from penchant.launch.errors import LaunchError
from penchant.launch.layout import check_path
from penchant.server.kept_settings import PLACES, Kept, differences
from penchant.store.open import open_store
from penchant.store.settings_row import read_settings
from penchant.system.option_types import shows

HOME = Path(".penchant")
"""Default directory of a server's files, inside the current directory."""

DEFAULT_STORE = f"lmdb:{HOME / 'store'}"
"""Address of the store that `penchant serve` makes in the current directory."""

KEPT_ENCODER = shows(f"the one that the store was last served with, or {HOME / 'encoder'}")
"""How the help shows the default encoder."""

_PATHS = ("store", "encoder", "catalog_dir", "releases_dir", "token_keys")


def gather(
    store: str | None, encoder: Path | None, extra: Sequence[str] = (), home: Path = HOME
) -> dict[str, str]:
    """The parameters of every model, checked as the models will check them.

    Args:
        store: address of the store; default: `lmdb:` and `store` in `home`.
        encoder: directory of the encoder; default: the one that the store was last served with,
            else `encoder` in `home`, if it exists.
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
    if encoder is None:
        encoder = kept_encoder(settings["store"])
    if encoder is None and (home / "encoder").is_dir():
        encoder = home / "encoder"
    if encoder is not None:
        settings["encoder"] = str(encoder.absolute())
    for setting in extra:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise LaunchError(f"--set: got {setting!r}, expected key=value")
        in_place = name.strip() in PLACES and bool(value)
        settings[name.strip()] = str(Path(value).absolute()) if in_place else value
    config.parse({"encoder": "none", **settings})
    if "encoder" not in settings:
        raise LaunchError(
            f"encoder: none given, and none in {home / 'encoder'}; make one with "
            f"`penchant export --output {shlex.quote(str(home / 'encoder'))}`, or name one with "
            "--encoder"
        )
    for name in _PATHS:
        check_path(name, settings.get(name, ""))
    return settings


def changes_to_store(parameters: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Settings that a server with these parameters changes in its store: new and old, by name.

    Raises:
        StateCorrupt: those of the store can't be read.
    """
    return differences(config.parse(parameters), kept_settings_at(parameters["store"]))


def kept_settings_at(address: str) -> Kept | None:
    """The settings kept in the store at an address; None if there is no store, or none are kept.

    Raises:
        StateCorrupt: they can't be read.
    """
    engine, _, place = address.partition(":")
    if engine != "lmdb" or not is_store(place):
        return None
    store = open_store(address, map_bytes=0)  # As large as its writer made it.
    try:
        with store.snapshot() as snapshot:
            return read_settings(snapshot)
    finally:
        store.close()


def kept_encoder(address: str) -> Path | None:
    """The encoder that the server of a store was configured with; None if it is not known."""
    kept = kept_settings_at(address)
    return Path(kept["encoder"]) if kept and kept.get("encoder") else None


def is_store(place: str) -> bool:
    """Whether a directory holds an LMDB store."""
    return bool(place) and (Path(place) / "data.mdb").is_file()


def _store(address: str) -> str:
    engine, _, place = address.partition(":")
    if engine == "memory":
        raise LaunchError(
            "store: got memory:, which the models' processes cannot share; expected lmdb:DIRECTORY"
        )
    return f"lmdb:{Path(place).absolute()}" if engine == "lmdb" and place else address
