"""Looks at the catalog's files, and writes damaged ones from the store again.

Every process does so before it serves, and whenever it finds a file truncated
(`service.catalog_watch`); under the store's lock, the first one writes. What can't be mended never
keeps a model from starting: its calls then say what is missing.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from penchant.catalog import files
from penchant.catalog.damage_note import note_damage
from penchant.catalog.files import DamagedFile, Frozen, PathOf
from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.arrays import Float64, Mask
from penchant.domain.cold_start import flat_cold_start_prior
from penchant.domain.errors import PenchantError, StateCorrupt, StoreUnavailable
from penchant.domain.neighbours import no_neighbours
from penchant.domain.types import CatalogHead, Matrix
from penchant.service.catalog_version import freeze, gram_of
from penchant.service.catalog_writer import placed, text_vector
from penchant.service.rebuilt_head import head_is_sound, rebuild_head, with_fitting_version
from penchant.service.user_interest import rollout_directory
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.item_residuals import fetch_residuals
from penchant.store.items import (
    catalog_log_is_whole,
    fetch_text_vectors,
    read_head,
    rewrite_log,
    scan_items,
    write_head,
)
from penchant.store.rollouts import delete_rollout, read_rollout, write_rollout

log = logging.getLogger("penchant")

_UNTIL_REFRESH = "rankings do without until the next `penchant refresh`"


_TOGETHER = 1_000
"""Items whose rows a store over a network reads in one go."""

Held = Mapping[int, Frozen]
"""What a process still has in memory of damaged files: the parts of versions, by their number."""


def mend_catalog(
    store: Store,
    directory: Path,
    read_biases: Callable[[], ItemBiasTable],
    held: Held | None = None,
    encoder_version: str = "",
    complete: Callable[[Snapshot], None] | None = None,
) -> list[str]:
    """Writes the catalog's head, its files, and those of one on rollout, again where damaged.

    Args:
        store: holds the items and their texts' vectors.
        directory: of the catalog's files.
        read_biases: reads every item's counters; called where they are needed.
        held: parts of versions that need not be lost with their files; None: none.
        encoder_version: of the configured encoder, for a head that is made again.
        complete: fetches what is missing from where other servers share it, first; None: there are
            no others.

    Returns:
        The kinds of the parts that were damaged.

    Cost: reads each file once; if vectors are damaged, also every item's vector.
    """
    try:
        if directory.is_dir():
            files.remove_partial(directory)
        found = mend_head(store, directory, encoder_version, whole_only=True)
        with store.snapshot() as snapshot:
            if complete is not None:
                complete(snapshot)
            log_is_whole = catalog_log_is_whole(snapshot, read_head(snapshot).rows)
            if log_is_whole and not damaged_files(snapshot, directory):
                return found
            # Before the transaction, which keeps feedback waiting.
            rows = {
                head: rows_of_store(snapshot, head)
                for place, head in _catalogs(snapshot, directory)
                if find_damage(place, head)
            }
        material = _Material(read_biases(), held or {}, rows)

        def mend(transaction: Transaction) -> list[str]:
            # Another process may have been faster.
            if log_is_whole and not damaged_files(transaction, directory):
                return []
            return _mend(transaction, directory, material, log_is_whole=log_is_whole)

        return found + in_transaction(store, mend)
    except (PenchantError, OSError) as error:
        if isinstance(error, StoreUnavailable) and store.shared:
            log.warning("catalog: its files can't be looked at: %s", error)
        else:
            log.error("catalog: its files are damaged and can't be written again: %s", error)
    return []


def mend_head(
    store: Store, directory: Path, encoder_version: str = "", *, whole_only: bool
) -> list[str]:
    """Makes the catalog's head again, if its row is damaged or lost; ends a rollout with such one.

    Args:
        store: the store.
        directory: of the catalog's files.
        encoder_version: of the configured encoder.
        whole_only: whether to leave the head as it is if some items can't be read.

    Returns:
        `head` and `rollout`, those of them that were damaged.

    Raises:
        StateCorrupt: the head can't be made again.
    """
    with store.snapshot() as snapshot:
        if head_is_sound(snapshot) and _rollout_is_sound(snapshot):
            return []

    def mend(transaction: Transaction) -> list[str]:
        found = []
        if not head_is_sound(transaction):
            made = rebuild_head(transaction, directory, encoder_version)
            if whole_only and not made.whole:
                raise StateCorrupt(
                    "catalog head: checksum differs, and so do items, which it would be made again "
                    "from; `penchant rebuild records` makes it from those that can be read"
                )
            head = with_fitting_version(directory, made.head, lambda: _gram(transaction, made.head))
            write_head(transaction, head)
            found.append("head")
            log.warning(
                "catalog: its head was damaged, and is made again from %d items of encoder %s",
                head.alive,
                head.encoder_version,
            )
        if not _rollout_is_sound(transaction):
            delete_rollout(transaction)
            found.append("rollout")
            log.error(
                "StateCorrupt: the release on rollout can't be read, and its rollout is ended; "
                "begin it again"
            )
        return found

    found = in_transaction(store, mend)
    if found:
        note_damage(directory, [f"{kind}: its row in the store" for kind in found])
    return found


def _rollout_is_sound(snapshot: Snapshot) -> bool:
    try:
        read_rollout(snapshot)
    except StateCorrupt:
        return False
    return True


def _gram(snapshot: Snapshot, head: CatalogHead) -> Float64:
    made = rows_of_store(snapshot, head)
    return gram_of(made.vectors, made.alive)


def find_damage(directory: Path, head: CatalogHead) -> dict[str, str]:
    """The parts of a head's files that can't be used, each with the reason."""
    if head.generation == 0:
        return {}
    found: dict[str, str] = {}
    for part, look in (
        ("vectors", _look_at_vectors),
        ("texts", _look_at_texts),
        ("offsets", _look_at_offsets),  # Written again with damaged vectors.
        ("version", _look_at_version),
        ("neighbours", _look_at_neighbours),
    ):
        try:
            look(directory, head)
        except FileNotFoundError as error:
            found[part] = f"{Path(error.filename or part).name}: missing"
        except (DamagedFile, OSError) as error:
            found[part] = str(error)
    return found


class CatalogRows(NamedTuple):
    """The rows of a catalog by the store."""

    vectors: Matrix
    """Of the items, shape (rows, d)."""
    texts: Matrix
    """Of the items' texts, shape (rows, d)."""
    alive: Mask
    """Which of them can be ranked, shape (rows,)."""


class _Material(NamedTuple):
    """What files are written from."""

    biases: ItemBiasTable
    held: Held
    rows: Mapping[CatalogHead, CatalogRows]
    """Read beforehand; of a head that is no longer the store's, they are read again."""

    def rows_of(self, snapshot: Snapshot, head: CatalogHead) -> CatalogRows:
        """The rows of a catalog with this head."""
        return self.rows.get(head) or rows_of_store(snapshot, head)


def damaged_files(snapshot: Snapshot, directory: Path) -> bool:
    """Whether a file of the catalog, or of one on rollout, can't be used."""
    return any(find_damage(place, head) for place, head in _catalogs(snapshot, directory))


def _catalogs(snapshot: Snapshot, directory: Path) -> list[tuple[Path, CatalogHead]]:
    """Directory and head of the served catalog, and of one on rollout."""
    found = [(directory, read_head(snapshot))]
    rollout = read_rollout(snapshot)
    if rollout is not None:
        found.append((rollout_directory(directory, rollout.release), rollout.head))
    return found


def _look_at_vectors(directory: Path, head: CatalogHead) -> None:
    _look_at_rows(directory, head, head.vectors_crc, files.vectors_path)


def _look_at_texts(directory: Path, head: CatalogHead) -> None:
    _look_at_rows(directory, head, head.texts_crc, files.texts_path)


def _look_at_rows(directory: Path, head: CatalogHead, crc: int | None, path_of: PathOf) -> None:
    path = path_of(directory, head.generation)
    if crc is None:
        raise DamagedFile(f"{path.name}: has no checksum (older release)")
    if files.checksum_of_file(path, head.rows * head.dimensions * 4) != crc:
        raise DamagedFile(f"{path.name}: checksum differs")
    files.map_vectors(directory, head.generation, head.dimensions, head.rows, path_of)


def _look_at_offsets(directory: Path, head: CatalogHead) -> None:
    matrix = files.map_vectors(directory, head.generation, head.dimensions)
    files.map_offsets(directory, head.generation, rows=len(matrix))  # As many may come yet.


def _look_at_version(directory: Path, head: CatalogHead) -> None:
    files.read_version(directory, head.version, head.version_crc)


def _look_at_neighbours(directory: Path, head: CatalogHead) -> None:
    path, crc = files.neighbours_path(directory, head.neighbours), head.neighbours_crc
    known = head.neighbours and crc is not None
    if known and files.checksum_of_file(path, path.stat().st_size) != crc:
        raise DamagedFile(f"{path.name}: checksum differs")
    files.map_neighbours(directory, head.neighbours)


def _mend(
    transaction: Transaction, directory: Path, material: _Material, *, log_is_whole: bool
) -> list[str]:
    head = read_head(transaction)
    if not log_is_whole:
        rewrite_log(transaction, head.rows)
        log.warning("catalog: its log was damaged, and is written again from the items")
    mended, found = _mended(transaction, directory, head, material)
    if mended != head:
        write_head(transaction, mended)
    rollout = read_rollout(transaction)
    if rollout is not None:
        place = rollout_directory(directory, rollout.release)
        # Versions of the two are numbered apart.
        tried, more = _mended(transaction, place, rollout.head, material._replace(held={}))
        found += more
        if tried != rollout.head:
            write_rollout(transaction, dataclasses.replace(rollout, head=tried))
    return found


def _mended(
    transaction: Transaction, directory: Path, head: CatalogHead, material: _Material
) -> tuple[CatalogHead, list[str]]:
    """The head after its damaged files are written again, and their kinds.

    A file that processes map has a new number, so that they map it anew.
    """
    before, damage = head, find_damage(directory, head)
    for reason in damage.values():
        log.warning("catalog: %s; it is written again", reason)
    if not damage.keys().isdisjoint({"vectors", "texts", "offsets"}):
        made, generation = material.rows_of(transaction, before), head.generation + 1
        offsets = material.biases.values(head.rows)
        crc = files.write_generation(directory, generation, made.vectors, offsets)
        texts_crc = files.write_texts(directory, generation, made.texts)
        head = dataclasses.replace(
            head, generation=generation, vectors_crc=crc, texts_crc=texts_crc
        )
    lost = []
    if "neighbours" in damage:
        number = head.neighbours + 1
        crc = files.write_neighbours(directory, number, no_neighbours())
        head = dataclasses.replace(head, neighbours=number, neighbours_crc=crc)
        lost.append("neighbours")
    if "version" in damage and head.version in material.held:
        crc = files.write_version(directory, head.version, material.held[head.version])
        head = dataclasses.replace(head, version_crc=crc)
    elif "version" in damage:
        made = material.rows_of(transaction, before)
        gram, nothing = gram_of(made.vectors, made.alive), flat_cold_start_prior(head.dimensions)
        frozen = Frozen(gram, np.zeros(head.dimensions), nothing)
        head = freeze(directory, head, frozen)
        lost.append("priors")
    if lost and head.neighbours:  # Else no refresh has made them yet.
        what = ", ".join(lost)
        log.warning("catalog: %s are lost: %s", what, _UNTIL_REFRESH)
        head = dataclasses.replace(head, lost=what)
    if damage:
        note_damage(directory, damage.values())
    return head, list(damage)


def rows_of_store(snapshot: Snapshot, head: CatalogHead) -> CatalogRows:
    """The rows of a catalog with this head, by the store. Cost: a read of every item."""
    matrix, texts = np.zeros((2, head.rows, head.dimensions), np.float32)
    alive = np.zeros(head.rows, np.bool_)
    rows = [one for one in scan_items(snapshot) if one.alive and one.number < head.rows]
    for place, stored in enumerate(rows):
        if place % _TOGETHER == 0:
            some = rows[place : place + _TOGETHER]
            fetch_text_vectors(snapshot, head.encoder_version, [one.item.text for one in some])
            fetch_residuals(snapshot, head.encoder_version, [one.number for one in some])
        alive[stored.number] = True
        text = text_vector(snapshot, head, stored.item)
        texts[stored.number] = text
        matrix[stored.number] = placed(snapshot, head.encoder_version, stored.number, text)
    return CatalogRows(matrix, texts, alive)
