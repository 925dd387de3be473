"""The manifest of a release: the contents of its folder, their origin, and the release's id.

    release.json      the manifest
    encoder/          the encoder as `penchant export` wrote it, compiled engines included
    items.npz         the items as they were learnt (`penchant.releases.release_items`)
    and reports: gate.json, evaluation.json, probes

The id is a digest of the files' checksums and of the settings, so equal content has one id, and a
changed folder no longer matches its id.
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
"""Version of the folder's format; raised when an older Penchant could misread the folder."""
ITEMS = "items.npz"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of release.json."""

    id: str
    """Id of the release, 16 hex digits."""
    encoder_version: str
    dimensions: int
    """Dimensions of the encoder's vectors, d."""
    parent: str
    """Id of the release that it was judged against; empty if there is none."""
    score_weights: dict[str, Any]
    """Settings of the fold that come with the release, by name."""
    refresh: dict[str, Any]
    """Settings of its refresh, by name."""
    files: dict[str, str]
    """SHA-256 of every file but the manifest, by path inside the folder."""
    created_at: str = ""
    """Time of the build, ISO 8601 in UTC; not part of the id."""
    data: dict[str, Any] = field(default_factory=dict)
    """Counts and range of times of the log that it was built from; not part of the id."""
    versions: dict[str, str] = field(default_factory=dict)
    """Versions of the software that built it, with the git commit; not part of the id."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Figures that its gate measured, by metric; not part of the id, since gate.json is."""
    learnt: dict[str, Any] = field(default_factory=dict)
    """The score's weights as they were learnt from the log, and why; not part of the id."""

    @property
    def reasons(self) -> str:
        """What the learnt weights chose and why, in words; empty for a release without them."""
        return str(self.learnt.get("sentence", ""))

    @property
    def refresh_settings(self) -> RefreshSettings:
        """The settings of its refresh."""
        return RefreshSettings(**self.refresh)

    @property
    def weights_json(self) -> str:
        """The score weights as a JSON object, the form in a catalog's head."""
        return json.dumps(self.score_weights, sort_keys=True)


def identify(
    encoder_version: str,
    parent: str,
    score_weights: Mapping[str, Any],
    refresh: Mapping[str, Any],
    files: Mapping[str, str],
) -> str:
    """Computes a release's id, 16 hex digits, from every byte of its files and every setting."""
    content = [FORMAT, encoder_version, parent, dict(score_weights), dict(refresh), dict(files)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes release.json."""
    content = {"format": FORMAT, **dataclasses.asdict(manifest)}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Reads the manifest of a folder, without checking the files.

    Raises:
        ConfigError: the folder has no manifest, or it can't be read.
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
    """Reads the manifest of a folder, and checks every file against it. Cost: reads all files.

    Raises:
        ConfigError: a file is missing, added or changed, or the id does not match the content.
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
    """Hashes every file but the manifest: SHA-256 by path inside the folder, in order."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in paths
        if path != folder / MANIFEST
    }


def encoder_directory(folder: Path) -> Path:
    """The directory of a release's encoder."""
    return folder / ENCODER
