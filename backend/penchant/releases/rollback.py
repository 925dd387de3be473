"""Going back to what was served before, in one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from penchant.catalog.view import CatalogReader
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import CatalogHead, Published
from penchant.encoder.base import Encoder
from penchant.refresh.publication import place_kept
from penchant.releases.publish import (
    OnStep,
    Target,
    begin_switch,
    kept_encoders,
    publish_release,
    target_of,
)
from penchant.service.clock import Clock, system_clock
from penchant.service.user_interest import read_catalog
from penchant.store.base import Store
from penchant.store.items import write_head
from penchant.store.releases import read_releases


def roll_back(
    store: Store,
    directory: Path,
    releases: Path,
    config: Config,
    load: Callable[[Path], Encoder],
    to: str | None = None,
    on_step: OnStep = lambda step: None,
    clock: Clock = system_clock,
) -> CatalogHead:
    """Serves an earlier release again; a server beside follows at its next request.

    The store keeps the vectors and the residuals of the latest releases, so that nothing is fitted
    and only what was put since is encoded. For an older one, or one with the same encoder, the
    item vectors are fitted anew.

    Args:
        store: the server's.
        directory: of the catalog's files.
        releases: folder of the releases' folders.
        config: the server's.
        load: from an encoder's directory to the encoder.
        to: id of a release that was served; None: the one before the one that is served.
        on_step: told what begins.
        clock: microseconds since 1970.

    Raises:
        ConfigError: there is nothing to go back to, or the release's folder is gone or damaged.
    """
    with store.snapshot() as snapshot:
        log = read_releases(snapshot)
    entry = earlier(log, to)
    on_step("Loading the encoder")
    target = _target(entry, releases, config, load)
    kept = entry.encoder_version in kept_encoders(log)
    if not kept or entry.encoder_version == log[-1].encoder_version:
        return publish_release(store, directory, config, target, on_step, clock)
    on_step("Switching")
    with store.transaction() as transaction:
        view = read_catalog(transaction, CatalogReader(directory, config.fold))
        head = begin_switch(transaction, view.head, target, clock())
        nothing = np.zeros(head.dimensions)
        head = place_kept(transaction, directory, config, view, head, nothing, view.neighbours)
        write_head(transaction, head)
        on_step("Committing")
    on_step("Done")
    return head


def earlier(log: Sequence[Published], to: str | None = None) -> Published:
    """The entry to go back to.

    Going back twice does not come forward again: before a release is what was served when it was
    published.

    Raises:
        ConfigError: nothing was served before, or `to` never was.
    """
    if not log:
        raise ConfigError("rollback: no release was ever published, so there is nothing before")
    served = log[-1].release
    if to is not None:
        found = [entry for entry in log if entry.release == to]
        if not found or to == served:
            known = ", ".join(dict.fromkeys(entry.release or "(start)" for entry in log))
            raise ConfigError(
                f"rollback: got {to!r}, expected a release that was served before {served}: {known}"
            )
        return found[-1]
    published = [
        place
        for place, entry in enumerate(log)
        if entry.release == served and entry.action == "publish"
    ]
    if not published:
        raise ConfigError("rollback: nothing was served before the first release")
    return log[published[-1] - 1]


def _target(
    entry: Published, releases: Path, config: Config, load: Callable[[Path], Encoder]
) -> Target:
    if entry.release:
        target = target_of(releases / entry.release, "rollback", load)
        published = dataclasses.replace(entry, action="rollback")
        return dataclasses.replace(target, published=published)
    encoder = load(config.encoder)
    if encoder.version != entry.encoder_version:
        raise ConfigError(
            f"rollback: before the first release the encoder was {entry.encoder_version}, but "
            f"{config.encoder} holds {encoder.version}; name a release to go back to"
        )
    return Target(dataclasses.replace(entry, action="rollback"), encoder)
