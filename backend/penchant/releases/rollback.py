"""Rolls back to an earlier release as one job, whose transaction is short."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.rollout import Rollout
from penchant.domain.types import CatalogHead, Published
from penchant.encoder.library import load_onnx
from penchant.launch.model_parameters import DEFAULT_STORE, KEPT_ENCODER
from penchant.launch.server_store import ServerSettings, open_server_store
from penchant.refresh.catalog_update import FittedParts
from penchant.releases.loaded_release import LoadedRelease, LoadEncoder, load_release
from penchant.releases.prepared_switch import (
    PreparedResiduals,
    PreparedTexts,
    prepared_reader,
    write_prepared,
)
from penchant.releases.release_rollout import stop_rollout
from penchant.releases.shared_release import fetch_release
from penchant.releases.switch import (
    COMMIT,
    DONE,
    SWITCH,
    begin_switch,
    encode_texts,
    kept_encoders,
    switch_to,
)
from penchant.service.catalog_writer import commit_catalog
from penchant.service.clock import Clock, system_clock
from penchant.service.user_interest import read_catalog
from penchant.store.base import Store, Transaction
from penchant.store.items import read_head, write_head
from penchant.store.releases import log_of_releases_is_whole, read_releases
from penchant.system.audit_log import digest_of
from penchant.system.option_types import ENCODER_IN_USE, STORE_IN_USE
from penchant.system.progress import Progress, no_progress

START = "start"
"""Name of the state before the first release."""


def _one_before(_: object) -> str:
    return "the one before"


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """The store to roll back, and the release to go back to."""

    release: Annotated[str | None, Parameter(show_default=_one_before)] = None
    """Id of a release that was served; `start` is the state before the first one."""
    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    encoder: Annotated[Path | None, ENCODER_IN_USE, Parameter(show_default=KEPT_ENCODER)] = None
    """Directory of the server's own encoder, which served before any release."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""


@dataclass(frozen=True, slots=True)
class RollbackResult:
    """The outcome of a rollback: either a rollout ended, or an earlier release is served again."""

    ended: Rollout | None = None
    """The rollout that was ended; the served release stayed."""
    head: CatalogHead | None = None
    """The head that readers follow now."""


def roll_back(
    request: RollbackRequest, progress: Progress = no_progress, *, load: LoadEncoder = load_onnx
) -> RollbackResult:
    """Serves an earlier release again; a running server follows at its next request.

    If a rollout is running and the request names no release, the rollout is ended instead.

    Args:
        request: the store and the release.
        progress: called as steps begin and end.
        load: loads an encoder from its directory.

    Raises:
        ConfigError: there is no store or no earlier release, or the release's folder is gone or
            damaged.
        LaunchError: the store's address or a setting can't be read.
        EncoderUnavailable, StoreUnavailable: nothing was switched; run it again.
    """
    to = "" if request.release == START else request.release
    with open_server_store(request.store, request.settings, request.encoder) as server:
        note = "the release before" if request.release is None else request.release
        server.audit.note("rollback", digest_of([note]), note)
        if request.release is None:
            rollout = stop_rollout(server.store, "by penchant rollback")
            if rollout is not None:
                return RollbackResult(ended=rollout)
        head = switch_back(
            server.store,
            server.directory,
            server.releases,
            server.config,
            load,
            to,
            progress,
            fetch=partial(fetch_release, server),
        )
    return RollbackResult(head=head)


def switch_back(
    store: Store,
    directory: Path,
    releases: Path,
    config: Config,
    load: LoadEncoder,
    to: str | None = None,
    progress: Progress = no_progress,
    clock: Clock = system_clock,
    fetch: Callable[[str], None] = lambda release: None,
) -> CatalogHead:
    """Switches a store back to an earlier release.

    The store keeps vectors and residuals of the latest releases, so nothing is fitted and only
    items put since are encoded. For an older release, or one with the served encoder, item vectors
    are fitted anew.

    Args:
        store: the server's store.
        directory: directory of the catalog's files.
        releases: directory that holds one folder per release.
        config: the server's settings.
        load: loads an encoder.
        to: id of a release that was served, empty for the state before the first one; None: the
            release before the served one.
        progress: called as steps begin and end.
        clock: gives the time in microseconds since 1970.
        fetch: called with the id of the release to go back to, before its folder is read.

    Returns:
        The head that readers follow now.

    Raises:
        ConfigError: there is no earlier release, or the release's folder is gone or damaged.
    """
    with store.snapshot() as snapshot:
        log, whole = read_releases(snapshot), log_of_releases_is_whole(snapshot)
        before = read_head(snapshot)
    if to is None and not whole:
        known = ", ".join(dict.fromkeys(entry.release or START for entry in log))
        raise ConfigError(
            "rollback: an entry of the log of releases can't be read, so the release before the "
            f"served one is not known; name the one to go back to: {known}"
        )
    entry = earlier(log, to, before.release)
    progress("Loading the encoder", 0.0)
    fetch(entry.release)
    release = _load(entry, releases, config, load)
    progress("Loading the encoder", 1.0)
    kept = entry.encoder_version in kept_encoders(log)
    if not kept or entry.encoder_version == before.encoder_version:
        return switch_to(store, directory, config, release, progress, clock)
    progress(SWITCH, 0.0)
    encode_texts(store, release)
    version, dimensions = release.encoder.version, release.encoder.dimensions
    reader = prepared_reader(store, directory, config)
    with store.snapshot() as snapshot:
        texts = PreparedTexts.read(snapshot, config, version, dimensions)
        residuals = PreparedResiduals.kept(snapshot, version, dimensions)

    def switch(transaction: Transaction) -> CatalogHead:
        view = read_catalog(transaction, reader)
        head, changed = begin_switch(transaction, view.head, release, texts, clock())
        fitted = FittedParts.of(view, np.zeros(head.dimensions))
        head = write_prepared(transaction, directory, view, head, texts, changed, residuals, fitted)
        write_head(transaction, head)
        progress(COMMIT, 0.0)
        return head

    head = commit_catalog(store, directory, switch)
    progress(DONE, 1.0)
    return head


def earlier(
    log: Sequence[Published], to: str | None = None, served: str | None = None
) -> Published:
    """Finds the entry to go back to.

    The release before another is the one that was served when the other was published, so going
    back twice never comes forward again.

    Args:
        log: entries that changed the served release, oldest first.
        to: id of a release that was served; None: the one before the served one.
        served: id of the served release, where the log may lack its entry; None: the last one's.

    Raises:
        ConfigError: no release was served before, or `to` never was.
    """
    if not log:
        raise ConfigError("rollback: no release was ever published, so there is nothing before")
    served = log[-1].release if served is None else served
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
    if not published or published[-1] == 0:
        raise ConfigError("rollback: nothing was served before the first release")
    return log[published[-1] - 1]


def _load(entry: Published, releases: Path, config: Config, load: LoadEncoder) -> LoadedRelease:
    published = dataclasses.replace(entry, action="rollback")
    if entry.release:
        release = load_release(releases / entry.release, "rollback", load)
        return dataclasses.replace(release, published=published)
    try:
        encoder = load(config.encoder)
    except ConfigError as error:
        raise ConfigError(f"rollback: {error}; name the server's own with --encoder") from error
    if encoder.version != entry.encoder_version:
        raise ConfigError(
            f"rollback: before the first release the encoder was {entry.encoder_version}, but "
            f"{config.encoder} holds {encoder.version}; name a release to go back to"
        )
    return LoadedRelease(published, encoder)
