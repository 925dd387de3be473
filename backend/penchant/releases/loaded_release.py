"""A release in its folder, installed among a server's releases, and loaded into this process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.types import Published, Vector
from penchant.encoder.base import Encoder
from penchant.releases.manifest import ITEMS, check_release, encoder_directory
from penchant.releases.release_items import ReleasedItems, read_items
from penchant.system.os_error_reason import reason_of
from penchant.system.private_files import make_private

LoadEncoder = Callable[[Path], Encoder]
"""Loads an encoder from its directory; may raise ConfigError."""


@dataclass(frozen=True, slots=True)
class LoadedRelease:
    """A release that is ready to be served, or the configured encoder alone."""

    published: Published
    """Entry for the log of releases, without its time."""
    encoder: Encoder
    items: ReleasedItems | None = None
    """Items as the release learnt them; None for the configured encoder."""
    text_vectors: Mapping[str, Vector] = field(default_factory=dict)
    """The release's own text vectors, by text."""
    events: int = 0
    """Events that its items were learnt from."""


def install_release(folder: Path, releases: Path) -> Path:
    """Copies a release into a server's directory of releases, unless it is there already.

    Returns:
        Its folder, `<releases>/<id>`.

    Raises:
        ConfigError: the folder is not a whole release, or can't be copied.
    """
    manifest = check_release(folder)
    installed = releases / manifest.id
    if installed.exists():
        check_release(installed)
        return installed
    partial = releases / f".installing-{manifest.id}"
    try:
        releases.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(folder, partial)
        make_private(partial)
        partial.rename(installed)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ConfigError(f"releases: {installed} can't be written: {reason_of(error)}") from error
    return installed


def load_release(folder: Path, action: str, load: LoadEncoder) -> LoadedRelease:
    """Loads an installed release.

    Args:
        folder: the release's folder.
        action: action of the entry for the log of releases, such as `publish`.
        load: loads its encoder.

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
    text_vectors = dict(zip(items.texts, items.text_vectors, strict=True))
    events = int(manifest.data.get("events", 0))
    return LoadedRelease(published, encoder, items, text_vectors, events)
