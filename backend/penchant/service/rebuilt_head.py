"""Makes the catalog's head again from the rest of the store, after its row was damaged or lost.

Items and the catalog log give the rows, the log of releases or the texts' vectors give the space.
Files are told by their numbers; those without checksum are written again by `mended_catalog`. The
version's file is kept where it fits to the items' vectors, and the neighbours where they can be
read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from penchant.catalog import files
from penchant.catalog.files import DamagedFile
from penchant.domain.arrays import Float64
from penchant.domain.errors import StateCorrupt
from penchant.domain.types import CatalogHead, Item
from penchant.store.base import Snapshot
from penchant.store.codec import decode_change, decode_vector
from penchant.store.items import (
    encoders_of_texts,
    last_change,
    read_head,
    read_text_vector,
    scan_items,
)
from penchant.store.keys import Kind, encode
from penchant.store.releases import read_releases

FITTING = 0.3
"""Largest relative difference between the Gram matrix of a version's file and that of the items."""


class RebuiltHead(NamedTuple):
    """A head as the rest of the store gives it."""

    head: CatalogHead
    whole: bool
    """Whether every row has an item that can be read."""


def head_is_sound(snapshot: Snapshot) -> bool:
    """Whether the head can be read, and is there if the catalog has a log."""
    try:
        head = read_head(snapshot)
    except StateCorrupt:
        return False
    return head.rows > 0 or last_change(snapshot) is None


def rebuild_head(snapshot: Snapshot, directory: Path, preferred: str = "") -> RebuiltHead:
    """Makes the head again, as far as the store gives it; its files are still to be looked at.

    Args:
        snapshot: of the store.
        directory: of the catalog's files.
        preferred: version of the encoder, where the store leaves it open.

    Raises:
        StateCorrupt: no vector of any text can be read, so that the space is not known.

    Cost: reads every item and every vector of a text.
    """
    found = {stored.number: stored for stored in scan_items(snapshot)}
    alive = [stored.item for stored in found.values() if stored.alive]
    rankable: dict[int, bool] = {}
    for _, value in snapshot.scan(encode(Kind.CHANGE)):
        try:
            change = decode_change(value)
        except StateCorrupt:
            continue
        rankable[change.number] = change.alive
    rankable |= {number: stored.alive for number, stored in found.items()}
    rows = 1 + max(rankable, default=-1)
    last = last_change(snapshot)
    version, dimensions, release, weights = _space(snapshot, alive, preferred)
    head = CatalogHead(
        version=_newest(directory, "version"),
        generation=max(1, _newest(directory, "vectors"), _newest(directory, "texts")),
        rows=rows,
        alive=sum(rankable.values()),
        log_length=0 if last is None else last + 1,
        dimensions=dimensions,
        encoder_version=version,
        frozen_items=sum(rankable.values()),
        neighbours=_newest(directory, "neighbours"),
        release=release,
        score_weights=weights,
    )
    return RebuiltHead(_with_neighbours(directory, head), len(found) == rows)


def with_fitting_version(
    directory: Path, head: CatalogHead, gram: Callable[[], Float64]
) -> CatalogHead:
    """The head with the newest version's file that fits, under a new number; without, if none does.

    A file may be one that was written and never served, or of another encoder.

    Args:
        directory: of the catalog's files.
        head: as `rebuild_head` makes it.
        gram: the Gram matrix of the items' vectors, shape (d, d).
    """
    newest = max(head.version, head.log_length)
    expected = gram()
    most = FITTING * float(np.linalg.norm(expected))
    for number in range(head.version, max(0, head.version - files.KEPT), -1):
        try:
            frozen = files.read_version(directory, number)
        except (DamagedFile, OSError):
            continue
        same = frozen.gram.shape == expected.shape and len(frozen.popularity) <= head.rows
        if same and float(np.linalg.norm(frozen.gram - expected)) <= most:
            crc = files.write_version(directory, newest + 1, frozen)
            return dataclasses.replace(head, version=newest + 1, version_crc=crc)
    return dataclasses.replace(head, version=newest, version_crc=-1)  # No file has it.


def _with_neighbours(directory: Path, head: CatalogHead) -> CatalogHead:
    """The head with the checksum of the neighbours as they are, if they can be neighbours."""
    if not head.neighbours:
        return head
    path = files.neighbours_path(directory, head.neighbours)
    try:
        crc = files.checksum_of_file(path, path.stat().st_size)
        table = files.map_neighbours(directory, head.neighbours, crc)
    except (DamagedFile, OSError):
        crc = -1
    else:
        inside = (table["item"] >= 0).all() and (table["item"] < head.rows).all()
        if not inside or len(table) > 1 + head.rows:
            crc = -1
    return dataclasses.replace(head, neighbours_crc=crc)


def _space(snapshot: Snapshot, alive: Sequence[Item], preferred: str) -> tuple[str, int, str, str]:
    """Encoder version, dimensions, release and score weights of what was served last."""
    try:
        releases = read_releases(snapshot)
    except StateCorrupt:
        releases = []
    served = releases[-1] if releases else None
    if served is not None:
        preferred = served.encoder_version
    sizes = {version: _dimensions(snapshot, version) for version in encoders_of_texts(snapshot)}
    known = {
        version: sum(read_text_vector(snapshot, version, item.text) is not None for item in alive)
        for version, dimensions in sizes.items()
        if dimensions
    }
    if not known:
        raise StateCorrupt("catalog head: no vector of a text is left to make it again from")
    version = max(known, key=lambda one: (known[one], one == preferred))
    if served is not None and served.encoder_version == version:
        return version, sizes[version], served.release, served.score_weights
    return version, sizes[version], "", "{}"


def _dimensions(snapshot: Snapshot, version: str) -> int:
    """Of an encoder's vectors of texts; 0 if none can be read."""
    for _, value in snapshot.scan(encode(Kind.TEXT_VECTOR, version)):
        try:
            return len(decode_vector(value))
        except StateCorrupt:
            continue
    return 0


def _newest(directory: Path, kind: str) -> int:
    """The largest number of a kind's files; 0 without any."""
    numbers = [
        int(match[1])
        for path in (directory.iterdir() if directory.is_dir() else ())
        if (match := re.fullmatch(rf"{kind}-(\d+)\.(?:f32|npz|npy)", path.name))
    ]
    return max(numbers, default=0)
