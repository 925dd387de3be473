"""The options of a command as parameters of the models."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from penchant import config
from penchant.domain.errors import StoreUnavailable
from penchant.launch.errors import LaunchError
from penchant.launch.layout import check_path
from penchant.server.kept_settings import PLACES, Kept, differences
from penchant.store.address import directory_of, is_network, name_of, sealed
from penchant.store.open import open_store
from penchant.store.settings_row import read_settings
from penchant.system.option_types import shows
from penchant.system.os_error_reason import reason_of

HOME = Path(".penchant")
"""Default directory of a server's files, inside the current directory."""

DEFAULT_STORE = f"lmdb:{HOME / 'store'}"
"""Address of the store that `penchant serve` makes in the current directory."""

KEPT_ENCODER = shows(f"the one that the store was last served with, or {HOME / 'encoder'}")
"""How the help shows the default encoder."""

_PATHS = ("store", "encoder", "catalog_dir", "releases_dir", "state_dir", "token_keys")

_LOCAL_PLACES = PLACES | {"state_dir"}
"""Settings that are paths on this machine."""


def gather(
    store: str | None, encoder: Path | None, extra: Sequence[str] = (), home: Path = HOME
) -> dict[str, str]:
    """The parameters of every model, checked as the models will check them.

    Args:
        store: address of the store; default: `lmdb:` and `store` in `home`. A password in it moves
            into the environment of this process.
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
    settings = {"store": whole_address(store or f"lmdb:{home / 'store'}")}
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
        in_place = name.strip() in _LOCAL_PLACES and bool(value)
        settings[name.strip()] = str(Path(value).absolute()) if in_place else value
    if is_network(settings["store"]) and not settings.get("state_dir"):
        settings["state_dir"] = str(
            Path(state_directory(settings["store"], home) or home).absolute()
        )
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
        StoreUnavailable: the store is one in a network, and does not answer.
    """
    if not is_network(address) and not is_store(directory_of(address)):
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


def state_directory(address: str, home: Path = HOME) -> Path | None:
    """Where a server keeps what is its own, by default; None for a store in memory."""
    return home / name_of(address) if is_network(address) else directory_of(address)


def is_store(place: Path | None) -> bool:
    """Whether a directory holds an LMDB store.

    Raises:
        StoreUnavailable: this user may not look into it.
    """
    try:
        return place is not None and (place / "data.mdb").is_file()
    except OSError as error:
        raise StoreUnavailable(
            f"store: {place} can't be looked into: {reason_of(error)}; name the server's own, and "
            "run this as its user"
        ) from error


def whole_address(address: str) -> str:
    """A store's address as any process can take it: absolute, and without a password.

    Raises:
        LaunchError: other processes can't open it.
    """
    if address.partition(":")[0] == "memory":
        raise LaunchError(
            "store: got memory:, which the models' processes cannot share; expected lmdb:DIRECTORY"
        )
    place = directory_of(address)
    return sealed(address) if place is None else f"lmdb:{place.absolute()}"
