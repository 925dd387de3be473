"""Builds a release: an encoder and a log in, an immutable folder named by its content out."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from penchant.catalog.offsets import ItemBiasTable
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.offsets import count_outcome
from penchant.domain.rewards import resolve
from penchant.domain.types import Counters, Matrix, Vector
from penchant.encoder.bundle import read_bundle
from penchant.logs.interactions import Interactions
from penchant.logs.stream import Stream
from penchant.refresh.item_vectors import refresh
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.releases.manifest import (
    ITEMS,
    Manifest,
    check_release,
    encoder_directory,
    hash_files,
    identify,
    write_manifest,
)
from penchant.releases.release_items import ReleasedItems

Encode = Callable[[list[str]], Matrix]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a release is made of."""

    encoder: Path
    """Directory that `penchant export` wrote."""
    score_weights: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the fold that the release brings along."""
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    parent: str = ""
    """Id of the release that it follows."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    reports: Mapping[str, bytes] = field(default_factory=dict)
    """More files of the folder, by name."""


def build_release(
    releases: Path, stream: Stream, config: Config, recipe: Recipe, encode: Encode
) -> Manifest:
    """Makes the folder `<releases>/<id>`; one that is there already is checked and kept.

    Args:
        releases: folder of the releases' folders; made where absent.
        stream: items and log.
        config: signals and half-life of the offsets, as the server has them.
        recipe: what it is made of.
        encode: the recipe's encoder.

    Raises:
        ConfigError: the encoder's directory or a setting is wrong, or the releases' folder can't
            be written.

    Cost: encodes all texts, and a refresh.
    """
    bundle = read_bundle(recipe.encoder)
    items = learn_items(stream, config, recipe.refresh, encode)
    try:
        releases.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=releases) as temporary:
            made = Path(temporary) / "release"
            shutil.copytree(recipe.encoder, encoder_directory(made))
            items.write(made / ITEMS)
            for name, content in recipe.reports.items():
                (made / name).write_bytes(content)
            manifest = _manifest(made, bundle.version, bundle.settings.dimensions, stream, recipe)
            write_manifest(made, manifest)
            if not (releases / manifest.id).exists():
                made.rename(releases / manifest.id)
    except OSError as error:
        raise ConfigError(f"releases: {releases} can't be written: {error}") from error
    return check_release(releases / manifest.id)


def learn_items(
    stream: Stream, config: Config, settings: RefreshSettings, encode: Encode
) -> ReleasedItems:
    """What a refresh on the whole log makes of the items, and their offsets at its end."""
    texts = [item.text for item in stream.items]
    vectors = encode(texts)
    events = Interactions(stream.user, stream.item, stream.reward, stream.at_us)
    fresh = refresh(events, vectors, settings)
    return ReleasedItems(
        ids=[item.id for item in stream.items],
        texts=texts,
        text_vectors=vectors,
        residuals=fresh.residuals,
        neighbours=fresh.neighbours,
        prior_mean=fresh.prior_mean,
        offsets=_offsets(stream, config),
    )


def _offsets(stream: Stream, config: Config) -> Vector:
    book = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
    counters: dict[int, Counters] = {}
    for item, event in zip(stream.item.tolist(), stream.events, strict=True):
        outcome = resolve(config.signals, event.signal, event.value)
        before = counters.get(item) or Counters()
        counters[item] = count_outcome(before, outcome, event.occurred_at_us, book.half_life_s)
    book.set(counters.items())
    return book.values(len(stream.items))


def _manifest(
    folder: Path, encoder_version: str, dimensions: int, stream: Stream, recipe: Recipe
) -> Manifest:
    files, refresh = hash_files(folder), asdict(recipe.refresh)
    weights = dict(sorted(recipe.score_weights.items()))
    return Manifest(
        id=identify(encoder_version, recipe.parent, weights, refresh, files),
        encoder_version=encoder_version,
        dimensions=dimensions,
        parent=recipe.parent,
        score_weights=weights,
        refresh=refresh,
        files=files,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        data=_data(stream),
        versions=_versions(),
        metrics=dict(recipe.metrics),
    )


def _data(stream: Stream) -> dict[str, Any]:
    counts = {"items": len(stream.items), "users": len(stream.users), "events": len(stream.events)}
    if not len(stream.at_us):
        return counts
    first, last = np.array([stream.at_us[0], stream.at_us[-1]], "datetime64[us]").astype(str)
    return {**counts, "from": str(first), "until": str(last)}


def _versions() -> dict[str, str]:
    names = ("penchant", "numpy", "onnxruntime", "tokenizers")
    versions = {name: metadata.version(name) for name in names}
    return {"python": platform.python_version(), **versions, "git": _git_commit()}


def _git_commit() -> str:
    """Of the directory that the command runs in; empty where that is no repository."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
