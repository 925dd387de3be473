"""Builds a release: from an encoder and a log to an immutable folder named by its content."""

from __future__ import annotations

import json
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

from penchant.catalog.item_biases import ItemBiasTable
from penchant.config import Config, with_score_weights
from penchant.domain.errors import ConfigError
from penchant.domain.limits import AHEAD_US
from penchant.domain.rewards import resolve
from penchant.domain.tally import Tally
from penchant.domain.types import Matrix, Vector
from penchant.encoder.bundle import read_bundle
from penchant.logs.stream import Stream, outcomes_before
from penchant.refresh.item_vectors import learn_catalog
from penchant.refresh.learnt_weights import LearntWeights
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
from penchant.service.clock import system_clock
from penchant.system.os_error_reason import reason_of
from penchant.system.private_files import make_private

Encode = Callable[[list[str]], Matrix]
"""Encodes n texts, giving unit vectors of shape (n, d), float32."""


@dataclass(frozen=True, slots=True)
class ReleaseRecipe:
    """The encoder, settings and reports that make a release, besides the log."""

    encoder: Path
    """Directory that `penchant export` wrote."""
    score_weights: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the fold that come with the release, by name."""
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    parent: str = ""
    """Id of the release that it was judged against; empty if there is none."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Figures that its gate measured, by metric."""
    reports: Mapping[str, bytes] = field(default_factory=dict)
    """Further files of the folder, by name."""


def build_release(
    releases: Path, stream: Stream, config: Config, recipe: ReleaseRecipe, encode: Encode
) -> Manifest:
    """Makes the folder `<releases>/<id>`; one that exists already is checked and kept.

    Args:
        releases: directory that holds one folder per release; made if it does not exist.
        stream: items and log.
        config: the server's signals and half-life of the offsets.
        recipe: the rest that makes the release.
        encode: encodes texts with the recipe's encoder.

    Returns:
        The release's manifest.

    Raises:
        ConfigError: the encoder's directory or a setting is wrong, or `releases` can't be written.

    Cost: encodes all texts, and that of `learn_catalog`.
    """
    bundle = read_bundle(recipe.encoder)
    items, learnt = learn_items(stream, config, recipe, encode)
    try:
        releases.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=releases) as temporary:
            made = Path(temporary) / "release"
            shutil.copytree(recipe.encoder, encoder_directory(made))
            items.write(made / ITEMS)
            for name, content in recipe.reports.items():
                (made / name).write_bytes(content)
            dimensions = bundle.settings.dimensions
            manifest = _manifest(made, bundle.version, dimensions, stream, recipe, learnt)
            write_manifest(made, manifest)
            if not (releases / manifest.id).exists():
                make_private(made)
                made.rename(releases / manifest.id)
    except OSError as error:
        raise ConfigError(f"releases: {releases} can't be written: {reason_of(error)}") from error
    return check_release(releases / manifest.id)


def learn_items(
    stream: Stream, config: Config, recipe: ReleaseRecipe, encode: Encode
) -> tuple[ReleasedItems, LearntWeights]:
    """Fits the items and the score's weights to the whole log, and counts offsets as of its end."""
    texts = [item.text for item in stream.items]
    vectors = encode(texts)
    events = outcomes_before(stream, len(stream.events))
    served = with_score_weights(config, json.dumps(dict(recipe.score_weights)))
    fresh = learn_catalog(events, vectors, recipe.refresh, served)
    items = ReleasedItems(
        ids=[item.id for item in stream.items],
        texts=texts,
        text_vectors=vectors,
        residuals=fresh.residuals,
        neighbours=fresh.neighbours,
        prior_mean=fresh.prior_mean,
        offsets=_offsets(stream, config),
        popularity=fresh.popularity,
        learnt=json.loads(fresh.learnt.settings_json),
        segments=fresh.segments,
        tail=fresh.tail,
        recent=fresh.recent,
    )
    return items, fresh.learnt


def _offsets(stream: Stream, config: Config) -> Vector:
    biases = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
    tally = Tally(biases.half_life_s)
    columns = zip(stream.user.tolist(), stream.item.tolist(), stream.events, strict=True)
    for user, item, event in columns:
        outcome = resolve(config.signals, event.signal, event.value)
        tally.count(user, item, outcome, event.occurred_at_us)
    biases.limit(system_clock() + AHEAD_US)  # One event of a wrong clock must not fade the rest.
    biases.set(tally.counters.items())
    return biases.values(len(stream.items))


def _manifest(
    folder: Path,
    encoder_version: str,
    dimensions: int,
    stream: Stream,
    recipe: ReleaseRecipe,
    learnt: LearntWeights,
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
        learnt={"sentence": learnt.sentence, **asdict(learnt)},
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
    """Commit of the repository in the current directory; empty if there is none."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
