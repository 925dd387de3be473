"""Looks at the catalog's files before a model serves, and writes damaged ones from the store again.

Every process does so when it starts; under the store's lock, the first one writes. What can't be
mended never keeps a model from starting: its calls then say what is missing.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from penchant.catalog import files
from penchant.catalog.files import DamagedFile, Frozen
from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.arrays import Mask
from penchant.domain.cold_start import flat_cold_start_prior
from penchant.domain.errors import PenchantError
from penchant.domain.neighbours import no_neighbours
from penchant.domain.types import CatalogHead, Matrix
from penchant.service.catalog_version import freeze, gram_of
from penchant.service.catalog_writer import placed, text_vector
from penchant.service.user_interest import rollout_directory
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.items import (
    catalog_log_is_whole,
    read_head,
    rewrite_log,
    scan_items,
    write_head,
)
from penchant.store.rollouts import read_rollout, write_rollout

log = logging.getLogger("penchant")

_UNTIL_REFRESH = "rankings do without until the next `penchant refresh`"


def mend_catalog(store: Store, directory: Path, read_biases: Callable[[], ItemBiasTable]) -> None:
    """Writes the files of the catalog, and of one on rollout, again where they are damaged.

    Args:
        store: holds the items and their texts' vectors.
        directory: of the catalog's files.
        read_biases: reads every item's counters; called where they are needed.

    Cost: reads each file once; if vectors are damaged, also every item's vector.
    """
    try:
        with store.snapshot() as snapshot:
            sound = _is_sound(snapshot, directory)
        if not sound:
            biases = read_biases()
            with store.transaction() as transaction:  # Another process may have been faster.
                if not _is_sound(transaction, directory):
                    _mend(transaction, directory, biases)
    except (PenchantError, OSError) as error:
        log.error("catalog: its files are damaged and can't be written again: %s", error)


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


def _is_sound(snapshot: Snapshot, directory: Path) -> bool:
    head, rollout = read_head(snapshot), read_rollout(snapshot)
    if rollout is not None:
        place = rollout_directory(directory, rollout.release)
        if find_damage(place, rollout.head):
            return False
    return catalog_log_is_whole(snapshot, head.rows) and not find_damage(directory, head)


def _look_at_vectors(directory: Path, head: CatalogHead) -> None:
    if head.vectors_crc is None:
        raise DamagedFile(f"vectors-{head.generation}.f32: has no checksum (older release)")
    matrix = files.map_vectors(directory, head.generation, head.dimensions, head.rows)
    files.check_rows(matrix[: head.rows], head.vectors_crc, f"vectors-{head.generation}.f32")


def _look_at_texts(directory: Path, head: CatalogHead) -> None:
    path_of, generation = files.texts_path, head.generation
    name = path_of(directory, generation).name
    if head.texts_crc is None:
        raise DamagedFile(f"{name}: missing (older release)")
    matrix = files.map_vectors(directory, generation, head.dimensions, head.rows, path_of)
    files.check_rows(matrix[: head.rows], head.texts_crc, name)


def _look_at_offsets(directory: Path, head: CatalogHead) -> None:
    matrix = files.map_vectors(directory, head.generation, head.dimensions)
    files.map_offsets(directory, head.generation, rows=len(matrix))  # As many may come yet.


def _look_at_version(directory: Path, head: CatalogHead) -> None:
    files.read_version(directory, head.version, head.version_crc)


def _look_at_neighbours(directory: Path, head: CatalogHead) -> None:
    files.map_neighbours(directory, head.neighbours, head.neighbours_crc)


def _mend(transaction: Transaction, directory: Path, biases: ItemBiasTable) -> None:
    head = read_head(transaction)
    if not catalog_log_is_whole(transaction, head.rows):
        rewrite_log(transaction, head.rows)
        log.warning("catalog: its log was damaged, and is written again from the items")
    mended = _mended(transaction, directory, head, biases)
    if mended != head:
        write_head(transaction, mended)
    rollout = read_rollout(transaction)
    if rollout is not None:
        place = rollout_directory(directory, rollout.release)
        tried = _mended(transaction, place, rollout.head, biases)
        if tried != rollout.head:
            write_rollout(transaction, dataclasses.replace(rollout, head=tried))


def _mended(
    transaction: Transaction, directory: Path, head: CatalogHead, biases: ItemBiasTable
) -> CatalogHead:
    """The head after its damaged files are written again; each has a number of its own."""
    damage = find_damage(directory, head)
    for reason in damage.values():
        log.warning("catalog: %s; it is written again", reason)
    matrix: Matrix | None = None
    if "vectors" in damage or "texts" in damage:
        matrix, texts, _ = _from_store(transaction, head)
        generation = head.generation + 1
        crc = files.write_generation(directory, generation, matrix, biases.values(head.rows))
        texts_crc = files.write_texts(directory, generation, texts)
        head = dataclasses.replace(
            head, generation=generation, vectors_crc=crc, texts_crc=texts_crc
        )
    elif "offsets" in damage:
        capacity = files.capacity_for(head.rows)
        files.write_offsets(directory, head.generation, biases.values(head.rows), capacity)
    lost = []
    if "neighbours" in damage:
        number = head.neighbours + 1
        crc = files.write_neighbours(directory, number, no_neighbours())
        head = dataclasses.replace(head, neighbours=number, neighbours_crc=crc)
        lost.append("neighbours")
    if "version" in damage:
        matrix, _, alive = _from_store(transaction, head)
        nothing = flat_cold_start_prior(head.dimensions)
        frozen = Frozen(gram_of(matrix, alive), np.zeros(head.dimensions), nothing)
        head = freeze(directory, head, frozen)
        lost.append("priors")
    if lost and head.neighbours:  # Else no refresh has made them yet.
        what = ", ".join(lost)
        log.warning("catalog: %s are lost: %s", what, _UNTIL_REFRESH)
        head = dataclasses.replace(head, lost=what)
    return head


def _from_store(snapshot: Snapshot, head: CatalogHead) -> tuple[Matrix, Matrix, Mask]:
    """Vectors of items and of texts by the store, shape (rows, d), and which rows can be ranked."""
    matrix, texts = np.zeros((2, head.rows, head.dimensions), np.float32)
    alive = np.zeros(head.rows, np.bool_)
    for stored in scan_items(snapshot):
        if stored.alive and stored.number < head.rows:
            alive[stored.number] = True
            text = text_vector(snapshot, head, stored.item)
            texts[stored.number] = text
            matrix[stored.number] = placed(snapshot, head.encoder_version, stored.number, text)
    return matrix, texts, alive
