"""Releases for tests: real folders around encoders that need no model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penchant.domain.rollout import Rollout
from penchant.domain.types import CatalogHead, Event, Item
from penchant.encoder.base import Encoder
from penchant.encoder.bundle import (
    GRAPH,
    TOKENIZER,
    EncoderSettings,
    read_bundle,
    write_bundle,
)
from penchant.encoder.library import ENCODER, MANIFEST, EncoderLibrary
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.releases.build import ReleaseRecipe, build_release
from penchant.releases.loaded_release import load_release
from penchant.releases.manifest import Manifest
from penchant.releases.release_rollout import RolloutPlan, begin_rollout
from penchant.releases.rollback import switch_back
from penchant.releases.switch import switch_to
from penchant.store.base import Store
from penchant.store.items import scan_items
from penchant.store.users import read_log, scan_user_ids
from penchant.system.progress import Progress, no_progress
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import World


def release_with(encoder: Encoder, releases: Path, default: Encoder) -> EncoderLibrary:
    """A library that finds `encoder` in a release."""
    folder = releases / "r"
    (folder / ENCODER).mkdir(parents=True)
    manifest = json.dumps({"encoder_version": encoder.version})
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    return EncoderLibrary(default, releases, lambda directory: encoder)


def write_words(directory: Path, seed: str, dimensions: int = 16) -> Path:
    """Writes an encoder's directory for `load_words`; each seed gives another version."""
    directory.mkdir(parents=True)
    (directory / GRAPH).write_text(seed, encoding="utf-8")
    (directory / TOKENIZER).write_text("{}", encoding="utf-8")
    write_bundle(directory, EncoderSettings(dimensions, 32, 0, "", "mean", "truncate", "words"))
    return directory


def load_words(directory: Path) -> WatchedEncoder:
    """Loads the encoder of a directory that `write_words` wrote."""
    bundle = read_bundle(directory)
    return WatchedEncoder(bundle.version, bundle.settings.dimensions)


def stream_of(world: World) -> Stream:
    """The items and the log of a world's store."""
    items: list[Item] = []
    events: list[Event] = []
    with world.store.snapshot() as snapshot:
        items += (stored.item for stored in scan_items(snapshot) if stored.alive)
        for user in scan_user_ids(snapshot):
            events += (row.event for row in read_log(snapshot, user))
    relevant = parse_relevance("reward>0")
    return make_stream(items, events, world.config.signals, relevant, LeftOut())


class Releasing:
    """A world with its encoder in a directory, and with releases beside its store."""

    def __init__(self, root: Path, dimensions: int = 16, store: Store | None = None) -> None:
        self.root = root
        self.releases = root / "releases"
        first = load_words(write_words(root / "first", "first", dimensions))
        self.world = World(
            root / "catalog",
            store=store,
            encoder=first,
            encoders=EncoderLibrary(first, self.releases, load_words),
            encoder_dir=root / "first",
        )

    def build(
        self,
        seed: str,
        dimensions: int = 16,
        weights: Mapping[str, Any] | None = None,
        parent: str = "",
        releases: Path | None = None,
    ) -> Manifest:
        """Builds a release of another encoder from the world's own log."""
        directory = self.root / seed
        if not directory.exists():
            write_words(directory, seed, dimensions)
        recipe = ReleaseRecipe(directory, weights or {}, parent=parent)
        encode = load_words(directory).encode
        stream = stream_of(self.world)
        return build_release(releases or self.releases, stream, self.world.config, recipe, encode)

    def publish(self, release: str, progress: Progress = no_progress) -> CatalogHead:
        """Serves a release that is built."""
        world = self.world
        loaded = load_release(self.releases / release, "publish", load_words)
        return switch_to(world.store, world.directory, world.config, loaded, progress, world.clock)

    def begin(self, release: str, mode: str, share: float, **plan: Any) -> Rollout:
        """Puts a release that is built on rollout."""
        world = self.world
        loaded = load_release(self.releases / release, "publish", load_words)
        return begin_rollout(
            world.store,
            world.directory,
            world.config,
            loaded,
            RolloutPlan(mode, share, **plan),
            clock=world.clock,
        )

    def roll_back(self, to: str | None = None) -> CatalogHead:
        """Serves an earlier release again."""
        world = self.world
        return switch_back(
            world.store,
            world.directory,
            self.releases,
            world.config,
            load_words,
            to,
            clock=world.clock,
        )
