"""Publishing a release to a store: encode beside the old, then switch in one transaction.

1. The folder is copied among the server's releases, where its encoder is looked for.
2. Texts that the release did not encode are encoded, batch by batch, under the new version's name.
3. Item vectors are fitted to the store's log in the new space.
4. One transaction writes residuals, files of a new generation, the head and the log of releases.
5. Vectors of encoders that nobody can go back to are dropped.

Until the fourth step commits, readers follow the old head, and afterwards the new one. A run that
is killed anywhere leaves one of the two; the next run goes on where it was, or begins anew.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penchant.catalog.view import CatalogReader
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import CatalogHead, Published, Vector
from penchant.encoder.base import Encoder
from penchant.refresh.item_vectors import RefreshedCatalog, refresh
from penchant.refresh.publication import Material, place_refreshed, read_material
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.manifest import ITEMS, check_release, encoder_directory
from penchant.releases.release_items import ReleasedItems, read_items
from penchant.service.clock import Clock, system_clock
from penchant.service.encoding import known_vectors
from penchant.service.rollout_watch import end_rollout
from penchant.service.user_interest import read_catalog
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.items import (
    drop_encoders,
    read_head,
    scan_items,
    write_head,
    write_text_vector,
)
from penchant.store.releases import append_release, read_releases
from penchant.store.rollouts import read_rollout

TEXTS = 256
"""Texts that are encoded and kept at once."""
KEPT = 3
"""Releases whose vectors stay in the store, the one that is served included."""

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be served."""

    published: Published
    """As the log of releases will say it, but for the time."""
    encoder: Encoder
    items: ReleasedItems | None = None
    """What the release knows of items; None: nothing, as for the configured encoder."""
    brought: Mapping[str, Vector] = field(default_factory=dict)
    """Vectors that the release brings along, by text."""


def install_release(folder: Path, releases: Path) -> Path:
    """Copies a release's folder among a server's; its place, `<releases>/<id>`.

    Raises:
        ConfigError: the folder is not a whole release, or can't be copied.
    """
    manifest = check_release(folder)
    place = releases / manifest.id
    if place.exists():
        check_release(place)
        return place
    partial = releases / f".installing-{manifest.id}"
    try:
        releases.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(folder, partial)
        partial.rename(place)
    except OSError as error:
        raise ConfigError(f"releases: {place} can't be written: {error}") from error
    return place


def target_of(folder: Path, action: str, load: Callable[[Path], Encoder]) -> Target:
    """A release that is installed, ready to be published.

    Raises:
        ConfigError: the folder is not a whole release, or its encoder can't be loaded.
    """
    manifest = check_release(folder)
    published = Published(
        release=manifest.id,
        encoder_version=manifest.encoder_version,
        action=action,
        at_us=0,
        score_weights=manifest.weights_json,
        refresh=json.dumps(manifest.refresh, sort_keys=True),
    )
    encoder = load(encoder_directory(folder))
    if encoder.version != manifest.encoder_version:
        raise ConfigError(
            f"release {manifest.id}: its encoder is {encoder.version}, expected "
            f"{manifest.encoder_version}; build the release again"
        )
    items = read_items(folder / ITEMS)
    brought = dict(zip(items.texts, items.text_vectors, strict=True))
    return Target(published, encoder, items, brought)


def publish_release(
    store: Store,
    directory: Path,
    config: Config,
    target: Target,
    on_step: OnStep = lambda step: None,
    clock: Clock = system_clock,
) -> CatalogHead:
    """Steps 2 to 5 of the module's list; a server beside follows at its next request.

    Args:
        store: the server's.
        directory: of the catalog's files.
        config: the server's.
        target: what to serve.
        on_step: told what begins, in a few words.
        clock: microseconds since 1970.

    Raises:
        EncoderUnavailable, StoreUnavailable: nothing was switched; run it again.
    """
    on_step("Encoding texts")
    encode_texts(store, target)
    on_step("Fitting item vectors to the log")
    with store.snapshot() as snapshot:
        material = read_material(snapshot, config, head=head_of(target, read_head(snapshot)))
        fresh = learn(snapshot, target, material)
    on_step("Switching")
    with store.transaction() as transaction:
        view = read_catalog(transaction, CatalogReader(directory, config.fold))
        head = begin_switch(transaction, view.head, target, clock())
        head = place_refreshed(transaction, directory, config, view, head, material, fresh)
        write_head(transaction, head)
        on_step("Committing")
    on_step("Dropping what nobody can go back to")
    with store.transaction() as transaction:
        drop_encoders(transaction, kept_encoders(read_releases(transaction)))
    _drop_trials(directory)
    on_step("Done")
    return head


def _drop_trials(directory: Path) -> None:
    """The files of rollouts, which end when a release is published."""
    for place in directory.glob("trial-*"):
        shutil.rmtree(place, ignore_errors=True)


def missing_texts(snapshot: Snapshot, target: Target) -> list[str]:
    """Texts of items that can be ranked, without a vector of the target's encoder."""
    texts = (stored.item.text for stored in scan_items(snapshot) if stored.alive)
    return known_vectors(snapshot, target.encoder.version, texts)[1]


def kept_encoders(log: Sequence[Published]) -> set[str]:
    """Versions of the encoders of the latest releases, whose vectors stay in the store."""
    latest = list(dict.fromkeys(entry.release for entry in reversed(log)))[:KEPT]
    return {entry.encoder_version for entry in log if entry.release in latest}


def encode_texts(store: Store, target: Target) -> None:
    """Encodes and keeps the texts that lack the target's vectors, batch by batch."""
    with store.snapshot() as snapshot:
        missing = missing_texts(snapshot, target)
    for start in range(0, len(missing), TEXTS):
        part = missing[start : start + TEXTS]
        vectors = _vectors(target, part)
        with store.transaction() as transaction:
            _write(transaction, target, vectors)


def write_missing(transaction: Transaction, target: Target) -> None:
    """Encodes and keeps what still lacks the target's vectors: texts put a moment ago."""
    _write(transaction, target, _vectors(target, missing_texts(transaction, target)))


def _vectors(target: Target, texts: Sequence[str]) -> dict[str, Vector]:
    """By text: those that the release brings along, and the others encoded now."""
    vectors = {text: target.brought[text] for text in texts if text in target.brought}
    others = [text for text in texts if text not in vectors]
    return vectors | dict(zip(others, target.encoder.encode(others), strict=True))


def _write(transaction: Transaction, target: Target, vectors: Mapping[str, Vector]) -> None:
    for text, vector in vectors.items():
        write_text_vector(transaction, target.encoder.version, text, vector)


def learn(snapshot: Snapshot, target: Target, material: Material) -> RefreshedCatalog:
    """From the store's log; where it holds no event yet, what the release has learnt elsewhere."""
    if len(material.events.item) or target.items is None:
        settings = RefreshSettings(**json.loads(target.published.refresh))
        return refresh(material.events, material.texts, settings)
    ids = {stored.number: stored.item.id for stored in scan_items(snapshot)}
    return target.items.refreshed([ids[number] for number in material.numbers], material.texts)


def head_of(target: Target, head: CatalogHead) -> CatalogHead:
    """The head with what the target serves in place of what it had."""
    return dataclasses.replace(
        head,
        encoder_version=target.encoder.version,
        dimensions=target.encoder.dimensions,
        release=target.published.release,
        score_weights=target.published.score_weights,
    )


def begin_switch(
    transaction: Transaction, before: CatalogHead, target: Target, now_us: int
) -> CatalogHead:
    """Encodes what was put meanwhile, and writes the log; the head to make files for.

    A rollout that is running ends with it.
    """
    rollout = read_rollout(transaction)
    if rollout is not None:
        end_rollout(
            transaction, rollout, now_us, f"another release came ({target.published.action})"
        )
    write_missing(transaction, target)
    if not read_releases(transaction):
        start = Published("", before.encoder_version, "start", now_us)
        append_release(transaction, start)
    append_release(transaction, dataclasses.replace(target.published, at_us=now_us))
    return head_of(target, before)
