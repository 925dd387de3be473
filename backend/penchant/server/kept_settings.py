"""The settings that belong to a store: kept in it by its server, and followed by every command.

The writing model keeps what it was given. Whoever opens the store later takes from it what he is
not given himself, so that a refresh, a release and a server started without options all agree.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from penchant.config import Config, audit_directory, parse, setting_names, text_of, with_settings_of
from penchant.domain.errors import ConfigError, StateCorrupt, StoreUnavailable
from penchant.store.address import is_network
from penchant.store.base import Store
from penchant.store.conflict_retries import in_transaction
from penchant.store.settings_row import read_settings, write_settings
from penchant.system.audit_log import AuditLog, digest_of

log = logging.getLogger("penchant")

OF_THE_MACHINE = frozenset(
    {
        "store",
        "state_dir",
        "store_map_bytes",
        "encoder_threads",
        "encoder_runtime",
        "encoder_fallback",
        "token_keys",
        "token_issuer",
        "token_audience",
        "tenant_limit",
        "tenant_calls_per_s",
        "caller_calls_per_s",
    }
)
"""Settings that say how one machine serves a store; each server has its own."""

_DIRECTORIES = frozenset({"catalog_dir", "releases_dir"})

PLACES = frozenset({"encoder", "catalog_dir", "releases_dir", "token_keys"})
"""Paths, taken as the server sees them."""

REBUILT = frozenset({"signals", "window_events", "offset_half_life_s"})
"""Settings that shape records or counters: `penchant rebuild` brings those up to date."""

Kept = Mapping[str, str]
"""Texts of settings by name, as `text_of` writes them."""


def to_keep(config: Config) -> dict[str, str]:
    """The given settings that belong to the store."""
    return {
        name: text_of(config, name)
        for name in setting_names()
        if name in config.given
        and name not in OF_THE_MACHINE
        # Servers of a store in a network have directories of their own.
        and not (is_network(config.store) and name in _DIRECTORIES)
    }


def kept_for(settings: Kept, *, network: bool) -> dict[str, str]:
    """The settings that a store of the other engine keeps: without directories, if in a network.

    >>> kept_for({"ridge": "2.0", "catalog_dir": "/srv/catalog"}, network=True)
    {'ridge': '2.0'}
    """
    left_out = _DIRECTORIES if network else frozenset()
    return {name: text for name, text in settings.items() if name not in left_out}


def settled(config: Config, kept: Kept | None) -> Config:
    """A configuration that takes from the store what it was not given.

    Args:
        config: the given settings.
        kept: the settings kept in the store; None: there are none yet.

    >>> given = parse({"store": "memory:", "encoder": "/e", "ridge": "5"})
    >>> both = settled(given, {"ridge": "1.0", "fast_weight": "6.0"}).fold
    >>> both.ridge, both.fast_weight
    (5.0, 6.0)
    """
    known = _known(kept)
    absent = known.keys() - config.given
    if not absent:
        return config
    return with_settings_of(config, parse({**_ANY, **known}), absent)


def differences(config: Config, kept: Kept | None) -> dict[str, tuple[str, str]]:
    """The given settings that differ from the store's: their texts here and there, by name.

    A setting that the store does not keep is at its default there. Before its first server, a store
    differs from nothing. Places are compared only if the store keeps them.
    """
    if kept is None:
        return {}
    known = _known(kept)
    stored = parse({**_ANY, **known})
    found = {}
    for name, here in to_keep(config).items():
        if name == "encoder" or (name in PLACES and name not in known):
            continue
        there = text_of(stored, name)
        if here != there:
            found[name] = (here, there)
    return found


def refuse_differences(config: Config, kept: Kept | None, allowed: frozenset[str]) -> None:
    """Refuses settings that differ from the store's.

    Args:
        config: the given settings.
        kept: the settings kept in the store.
        allowed: names of settings that may differ.

    Raises:
        ConfigError: one differs that may not.
    """
    for name, (here, there) in differences(config, kept).items():
        if name not in allowed:
            raise ConfigError(
                f"{name}: got {here}, expected {there}, which the server keeps in the store; leave "
                f"it out here, or restart the server with the new value"
                + (" and rebuild the records (`penchant rebuild`)" if name in REBUILT else "")
            )


def keep(store: Store, config: Config, chosen: frozenset[str] | None = None) -> Config:
    """Keeps the given settings in the store and takes the others from it.

    A full disk keeps nobody from serving: the settings are then kept at a later start.

    Args:
        store: the store.
        config: the settings.
        chosen: names of the settings to keep; None, for the store's writer: all that were given.
    """
    before = _readable(store)
    fresh = to_keep(config)
    after = {**(before or {}), **{n: t for n, t in fresh.items() if chosen is None or n in chosen}}
    if after != before:
        for name, (here, there) in differences(config, before).items():
            log.warning("setting %s: %s from now on, %s before", name, here, there)
        names = sorted(name for name, text in after.items() if text != (before or {}).get(name))
        try:
            AuditLog(audit_directory(config)).note(
                "settings", digest_of(after[name] for name in names), ", ".join(names)
            )
            in_transaction(store, lambda transaction: write_settings(transaction, after))
        except StoreUnavailable as error:
            log.warning("the settings could not be kept in the store: %s", error)
    return settled(config, before)


def follow(store: Store, config: Config) -> Config:
    """Takes from the store what the settings leave open; for those who only read it."""
    return settled(config, _readable(store))


def _readable(store: Store) -> Kept | None:
    """The settings that the store keeps; None, said in the log, if they are corrupt."""
    try:
        with store.snapshot() as snapshot:
            return read_settings(snapshot)
    except StateCorrupt as error:
        log.error(
            "%s; those that it was started with now count, and defaults for the others", error
        )
        return None


_ANY = {"store": "memory:", "encoder": "none"}


def _known(kept: Kept | None) -> dict[str, str]:
    """Those of the kept settings that this release knows: a newer one may have kept more."""
    names = frozenset(setting_names()) - OF_THE_MACHINE
    return {name: text for name, text in (kept or {}).items() if name in names}
