"""Switches a server to a release: encode beside the old one, then switch in one transaction.

1. Texts without a vector of the release's encoder are encoded, batch by batch, and kept under that
   encoder's version.
2. Item vectors are fitted to the store's log in the new space, and made ready (`prepared_switch`).
3. One short transaction writes files of a new generation, the head and the log of releases.
4. Vectors of encoders that no rollback needs any more are dropped.

Until the third step commits, readers follow the old head, and afterwards the new one. A run that is
killed at any step leaves one of the two; the next run resumes, or starts over.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from penchant.config import Config, with_score_weights
from penchant.domain.errors import StoreUnavailable
from penchant.domain.types import CatalogHead, Published, StoredItem, Vector
from penchant.logs.refusals import LeftOut
from penchant.logs.shipped.trimmed_log import reader_of_whole_log
from penchant.refresh.catalog_update import FittedParts
from penchant.refresh.item_vectors import RefreshedCatalog, learn_catalog
from penchant.refresh.refresh_input import RefreshInput, read_refresh_input
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.loaded_release import LoadedRelease
from penchant.releases.prepared_switch import (
    PreparedResiduals,
    PreparedTexts,
    prepared_reader,
    write_prepared,
)
from penchant.service.catalog_writer import commit_catalog
from penchant.service.clock import Clock, system_clock
from penchant.service.encoding import known_vectors
from penchant.service.rollout_watch import end_rollout
from penchant.service.user_interest import read_catalog
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.items import (
    drop_encoders,
    read_head,
    scan_items,
    write_head,
    write_text_vector,
)
from penchant.store.refresh_note import RefreshNote, write_refresh_note
from penchant.store.releases import append_release, read_releases
from penchant.store.rollouts import read_rollout
from penchant.system.progress import Progress, no_progress

BATCH_TEXTS = 256
"""Texts that are encoded and committed at once."""
KEPT_RELEASES = 3
"""Releases whose vectors stay in the store, the served one included."""

ENCODE, FIT, SWITCH, COMMIT, DROP, DONE = (
    "Encoding texts",
    "Fitting item vectors to the log",
    "Switching",
    "Committing",
    "Dropping vectors of old releases",
    "Done",
)
"""Steps of a switch, as reported to `Progress`."""


def encode_and_fit(
    store: Store,
    config: Config,
    release: LoadedRelease,
    progress: Progress,
    *,
    as_released: bool = False,
) -> tuple[RefreshInput, RefreshedCatalog]:
    """Encodes the catalog's texts for a release, and fits its item vectors to the store's log.

    Args:
        store: the server's store.
        config: the server's settings.
        release: the release.
        progress: called as steps begin and end.
        as_released: take the items as the release learnt them, because its log is the store's.

    Raises:
        EncoderUnavailable, StoreUnavailable: nothing that readers see has changed.
    """
    encode_texts(store, release, progress)
    progress(FIT, 0.0)
    read = reader_of_whole_log(store, config.signals, LeftOut())
    with store.snapshot() as snapshot:
        head = head_of(release, read_head(snapshot))
        source = read_refresh_input(snapshot, config, read, head=head)
        fresh = fit_release(snapshot, release, source, config, as_released=as_released)
    progress(FIT, 1.0)
    return source, fresh


def switch_to(
    store: Store,
    directory: Path,
    config: Config,
    release: LoadedRelease,
    progress: Progress = no_progress,
    clock: Clock = system_clock,
    *,
    as_released: bool = False,
) -> CatalogHead:
    """Serves a release to everybody; a running server follows at its next request.

    Args:
        store: the server's store.
        directory: directory of the catalog's files.
        config: the server's settings.
        release: the release, installed in the server's directory of releases.
        progress: called as steps begin and end.
        clock: gives the time in microseconds since 1970.
        as_released: take the items as the release learnt them, because its log is the store's.

    Returns:
        The head that readers follow now.

    Raises:
        EncoderUnavailable, StoreUnavailable: nothing was switched; run it again.
    """
    began_s = time.time()
    source, fresh = encode_and_fit(store, config, release, progress, as_released=as_released)
    progress(SWITCH, 0.0)
    encoder = release.encoder
    reader = prepared_reader(store, directory, config)
    with store.snapshot() as snapshot:
        texts = PreparedTexts.read(snapshot, config, encoder.version, encoder.dimensions)
    residuals = PreparedResiduals.staged_in(store, source, fresh)

    def switch(transaction: Transaction) -> CatalogHead:
        view = read_catalog(transaction, reader)
        head, changed = begin_switch(transaction, view.head, release, texts, clock())
        fitted = FittedParts.made(fresh, source, head.rows)
        head = write_prepared(transaction, directory, view, head, texts, changed, residuals, fitted)
        write_head(transaction, head)
        write_refresh_note(transaction, note_of(release, source, began_s))
        progress(COMMIT, 0.0)
        return head

    head = commit_catalog(store, directory, switch)
    progress(DROP, 0.0)
    # What is left here, for example on a full disk, goes with the next switch.
    with contextlib.suppress(StoreUnavailable):
        with store.snapshot() as snapshot:
            kept = kept_encoders(read_releases(snapshot))
        drop_encoders(store, kept)
    _drop_rollout_files(directory)
    progress(DONE, 1.0)
    return head


def _drop_rollout_files(directory: Path) -> None:
    """Removes the files of rollouts, which end when a release is published."""
    for place in directory.glob("trial-*"):
        shutil.rmtree(place, ignore_errors=True)


def missing_texts(snapshot: Snapshot, release: LoadedRelease) -> list[str]:
    """Lists the texts of items that can be ranked without a vector of the release's encoder."""
    texts = (stored.item.text for stored in scan_items(snapshot) if stored.alive)
    return known_vectors(snapshot, release.encoder.version, texts)[1]


def kept_encoders(log: Sequence[Published]) -> set[str]:
    """Versions of the encoders of the latest releases, whose vectors stay in the store."""
    latest = list(dict.fromkeys(entry.release for entry in reversed(log)))[:KEPT_RELEASES]
    return {entry.encoder_version for entry in log if entry.release in latest}


def encode_texts(store: Store, release: LoadedRelease, progress: Progress = no_progress) -> None:
    """Encodes the texts that lack a vector, and commits the vectors batch by batch."""
    progress(ENCODE, 0.0)
    with store.snapshot() as snapshot:
        missing = missing_texts(snapshot, release)
    for start in range(0, len(missing), BATCH_TEXTS):
        batch = missing[start : start + BATCH_TEXTS]
        vectors = _vectors(release, batch)
        in_transaction(store, partial(_write, release=release, vectors=vectors))
        progress(ENCODE, min(1.0, (start + BATCH_TEXTS) / len(missing)))
    progress(ENCODE, 1.0)


def encode_changed(
    transaction: Transaction, release: LoadedRelease, texts: PreparedTexts
) -> list[StoredItem]:
    """The items that changed after `texts` was read; texts without a vector are encoded."""
    changed = texts.changed(transaction)
    wanted = [stored.item.text for stored in changed if stored.alive]
    missing = known_vectors(transaction, release.encoder.version, wanted)[1]
    _write(transaction, release, _vectors(release, missing))
    return changed


def _vectors(release: LoadedRelease, texts: Sequence[str]) -> dict[str, Vector]:
    """Takes vectors from the release where it has them, and encodes the other texts."""
    known = release.text_vectors
    vectors = {text: known[text] for text in texts if text in known}
    others = [text for text in texts if text not in known]
    return vectors | dict(zip(others, release.encoder.encode(others), strict=True))


def _write(transaction: Transaction, release: LoadedRelease, vectors: Mapping[str, Vector]) -> None:
    for text, vector in vectors.items():
        write_text_vector(transaction, release.encoder.version, text, vector)


def fit_release(
    snapshot: Snapshot,
    release: LoadedRelease,
    source: RefreshInput,
    config: Config,
    *,
    as_released: bool = False,
) -> RefreshedCatalog:
    """Fits item vectors to the store's log; without any event, takes those of the release."""
    if release.items is None or (len(source.events.item) and not as_released):
        settings = RefreshSettings(**json.loads(release.published.refresh))
        served = with_score_weights(config, release.published.score_weights)
        return learn_catalog(source.events, source.texts, settings, served)
    ids = {stored.number: stored.item.id for stored in scan_items(snapshot)}
    return release.items.refreshed([ids[number] for number in source.numbers], source.texts)


def note_of(release: LoadedRelease, source: RefreshInput, began_s: float) -> RefreshNote:
    """What the items of a release were learnt from, for the clock that refreshes them next."""
    elsewhere = not len(source.events.item) and release.items is not None
    now_s = time.time()
    return RefreshNote(
        at_s=now_s,
        took_s=now_s - began_s,
        events=release.events if elsewhere else len(source.events.item),
        accepted=source.accepted,
        elsewhere=elsewhere,
    )


def head_of(release: LoadedRelease, head: CatalogHead) -> CatalogHead:
    """A catalog's head with the release's encoder and score weights in place of its own."""
    return dataclasses.replace(
        head,
        encoder_version=release.encoder.version,
        dimensions=release.encoder.dimensions,
        release=release.published.release,
        score_weights=release.published.score_weights,
    )


def begin_switch(
    transaction: Transaction,
    before: CatalogHead,
    release: LoadedRelease,
    texts: PreparedTexts,
    now_us: int,
) -> tuple[CatalogHead, list[StoredItem]]:
    """Encodes the texts of items put meanwhile, and appends to the log of releases.

    A rollout that is running ends with it.

    Returns:
        The head for which the caller writes the files, and the items that changed after `texts`
        was read.
    """
    rollout = read_rollout(transaction)
    if rollout is not None:
        reason = f"another release came ({release.published.action})"
        end_rollout(transaction, rollout, now_us, reason)
    changed = encode_changed(transaction, release, texts)
    if not read_releases(transaction):
        start = Published("", before.encoder_version, "start", now_us)
        append_release(transaction, start)
    append_release(transaction, dataclasses.replace(release.published, at_us=now_us))
    return head_of(release, before), changed
