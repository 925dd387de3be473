"""A release's manifest: what is in its folder, what it was made of, and its id.

    release.json      the manifest
    encoder/          what `penchant export` wrote, compiled engines included
    items.npz         what was learnt of the items (`penchant.releases.release_items`)
    and reports: gate.json, evaluation.json, probes

The id is made of the files' checksums and of the settings, so equal content has one id, and a
folder whose content was changed has the wrong one.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings
from penchant.encoder.bundle import sha256_of
from penchant.encoder.library import ENCODER, MANIFEST
from penchant.refresh.refresh_settings import RefreshSettings

FORMAT = 1
"""Goes up when an older release of Penchant could misread the folder."""
ITEMS = "items.npz"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What release.json holds."""

    id: str
    """16 hex digits."""
    encoder_version: str
    dimensions: int
    parent: str
    """Id of the release that it was judged against; empty: none."""
    score_weights: dict[str, Any]
    """What the release sets of the fold's settings, by name."""
    refresh: dict[str, Any]
    """Settings of `penchant refresh`, by name."""
    files: dict[str, str]
    """SHA-256 of every file but the manifest, by path inside the folder."""
    created_at: str = ""
    """In UTC; not part of the id."""
    data: dict[str, Any] = field(default_factory=dict)
    """What it was made from: counts and the range of times; not part of the id."""
    versions: dict[str, str] = field(default_factory=dict)
    """Of the software that made it, its git commit too; not part of the id."""
    metrics: dict[str, float] = field(default_factory=dict)
    """What its gate measured; not part of the id, since gate.json is."""

    @property
    def refresh_settings(self) -> RefreshSettings:
        """The settings of its refresh."""
        return RefreshSettings(**self.refresh)

    @property
    def weights_json(self) -> str:
        """The score weights, as a catalog's head holds them."""
        return json.dumps(self.score_weights, sort_keys=True)


def identify(
    encoder_version: str,
    parent: str,
    score_weights: Mapping[str, Any],
    refresh: Mapping[str, Any],
    files: Mapping[str, str],
) -> str:
    """The id of a release, 16 hex digits; changes with any byte of any file, and any setting."""
    content = [FORMAT, encoder_version, parent, dict(score_weights), dict(refresh), dict(files)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes release.json."""
    content = {"format": FORMAT, **dataclasses.asdict(manifest)}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder; its files are not looked at.

    Raises:
        ConfigError: there is none, or it can't be read.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"release: {folder} holds no {MANIFEST}, expected a folder that `penchant publish` made"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"release: {path} can't be read: {error}") from None
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise ConfigError(f"release: {path}: expected format {FORMAT}; upgrade Penchant")
    try:
        manifest = Manifest(**content)
        RefreshSettings(**manifest.refresh)
    except TypeError as error:
        raise ConfigError(f"release: {path}: {error}") from None
    FoldSettings().with_score_weights(manifest.weights_json)
    return manifest


def check_release(folder: Path) -> Manifest:
    """The manifest of a folder whose files are exactly what it says. Cost: reads all files.

    Raises:
        ConfigError: a file is missing, too many or changed, or the id is another's.
    """
    manifest = read_manifest(folder)
    found = hash_files(folder)
    for path in sorted(found.keys() | manifest.files.keys()):
        if path not in found:
            raise ConfigError(f"release {manifest.id}: {path} is missing; copy the release again")
        if found[path] != manifest.files.get(path):
            raise ConfigError(
                f"release {manifest.id}: {path} is not the file that was released (its SHA-256 is "
                f"{found[path][:12]}…); copy the release again, or build a new one"
            )
    id_ = identify(
        manifest.encoder_version,
        manifest.parent,
        manifest.score_weights,
        manifest.refresh,
        manifest.files,
    )
    if id_ != manifest.id:
        raise ConfigError(f"release: {folder} has id {manifest.id}, but its content is {id_}'s")
    return manifest


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the manifest, by path inside the folder, in order."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in paths
        if path != folder / MANIFEST
    }


def encoder_directory(folder: Path) -> Path:
    """Where a release's encoder is."""
    return folder / ENCODER
