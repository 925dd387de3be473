"""Catalog: put, delete and read items; encode what changed, publish it to every reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog.offsets import OffsetBook
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.newcomers import credits
from penchant.domain.types import CatalogChange, CatalogHead, Item, StoredItem, Vector
from penchant.encoder.base import Encoder
from penchant.service.publishing import Publication, placed, publish, rebuild_if_lost
from penchant.service.reading import read_catalog
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import write_counters
from penchant.store.items import (
    read_head,
    read_item,
    read_text_vector,
    scan_items,
    write_change,
    write_head,
    write_item,
    write_text_vector,
)

ENCODE_TEXTS = 32
"""Texts a request to the encoder, so that queries need not wait long behind a large put."""


@dataclass(frozen=True, slots=True)
class PutResult:
    """What a put did."""

    head: CatalogHead
    changed: int
    unchanged: int
    encoded: int


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """What a deletion did."""

    head: CatalogHead
    deleted: int
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class GetResult:
    """What the catalog holds of the ids that were asked for."""

    head: CatalogHead
    items: list[Item]
    unknown: list[str]


class CatalogService:
    """Changes the catalog; one process at a time."""

    def __init__(
        self,
        store: Store,
        reader: CatalogReader,
        directory: Path,
        encoder: Encoder,
        book: OffsetBook,
    ) -> None:
        self._store = store
        self._reader = reader
        self._directory = directory
        self._encoder = encoder
        rebuild_if_lost(store, directory, book)

    def put(self, items: Sequence[Item]) -> PutResult:
        """Adds or replaces items; all of them are durable and rankable when this returns.

        Raises:
            EncoderUnavailable: nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            changed = [item for item in items if _differs(item, read_item(snapshot, item.id))]
            texts = [item.text for item in changed]
            new_space = head.rows > 0 and head.encoder_version != self._encoder.version
            if new_space:
                texts += [stored.item.text for stored in scan_items(snapshot) if stored.alive]
            vectors, missing = self._known_vectors(snapshot, texts)
        vectors |= self._encode(missing)
        if changed or new_space:
            head = self._write(changed, vectors, new_space=new_space)
        return PutResult(head, len(changed), len(items) - len(changed), len(missing))

    def delete(self, ids: Sequence[str]) -> DeleteResult:
        """Takes items out of every ranking; raises StoreUnavailable."""
        with self._store.transaction() as transaction:
            view = read_catalog(transaction, self._reader)
            found = [read_item(transaction, id_) for id_ in ids]
            alive = [stored for stored in found if stored is not None and stored.alive]
            unknown = sorted(set(ids) - {stored.item.id for stored in alive})
            head = view.head
            if alive:
                gone = [dataclasses.replace(stored, alive=False) for stored in alive]
                head = self._log(transaction, head, gone)
                publication = Publication(removed=[stored.number for stored in gone])
                head = publish(self._directory, view, head, publication)
                write_head(transaction, head)
        return DeleteResult(head, len(alive), unknown)

    def get(self, ids: Sequence[str]) -> GetResult:
        """The items as they were put, in the order of the ids."""
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            found = [read_item(snapshot, id_) for id_ in ids]
        items = [stored.item for stored in found if stored is not None and stored.alive]
        held = {item.id for item in items}
        return GetResult(head, items, [id_ for id_ in ids if id_ not in held])

    def _known_vectors(
        self, snapshot: Snapshot, texts: Sequence[str]
    ) -> tuple[dict[str, Vector], list[str]]:
        known: dict[str, Vector] = {}
        missing: list[str] = []
        for text in dict.fromkeys(texts):
            vector = read_text_vector(snapshot, self._encoder.version, text)
            if vector is None:
                missing.append(text)
            else:
                known[text] = vector
        return known, missing

    def _encode(self, texts: list[str]) -> dict[str, Vector]:
        """Encodes slice by slice, so that others' texts get their turn in between."""
        vectors: dict[str, Vector] = {}
        for start in range(0, len(texts), ENCODE_TEXTS):
            part = texts[start : start + ENCODE_TEXTS]
            vectors |= zip(part, self._encoder.encode(part), strict=True)
        return vectors

    def _write(
        self, changed: Sequence[Item], vectors: dict[str, Vector], *, new_space: bool
    ) -> CatalogHead:
        with self._store.transaction() as transaction:
            view = read_catalog(transaction, self._reader)
            for text, vector in vectors.items():
                write_text_vector(transaction, self._encoder.version, text, vector)
            stored = self._number(transaction, view.head, changed)
            self._credit(transaction, view, stored, vectors)
            head = self._log(transaction, view.head, stored)
            head = dataclasses.replace(
                head,
                encoder_version=self._encoder.version,
                dimensions=self._encoder.dimensions,
            )
            rewritten = list(scan_items(transaction)) if new_space else stored
            alive = [row for row in rewritten if row.alive]
            placements = [
                placed(transaction, head, row.number, vectors[row.item.text]) for row in alive
            ]
            publication = Publication(
                numbers=np.array([row.number for row in alive], np.int64),
                vectors=np.array(placements),
                new_space=new_space,
            )
            head = publish(self._directory, view, head, publication)
            write_head(transaction, head)
        return head

    def _number(
        self, transaction: Transaction, head: CatalogHead, items: Sequence[Item]
    ) -> list[StoredItem]:
        """Gives new items the next numbers; items known before keep theirs."""
        stored, next_number = [], head.rows
        for item in items:
            old = read_item(transaction, item.id)
            number = next_number if old is None else old.number
            next_number += old is None
            stored.append(StoredItem(item, number, alive=True))
        return stored

    def _credit(
        self,
        transaction: Transaction,
        view: CatalogView,
        stored: Sequence[StoredItem],
        vectors: dict[str, Vector],
    ) -> None:
        """Items that come now start with the likes that their texts predict."""
        if view.head.encoder_version != self._encoder.version:
            return  # What was learnt of the old encoder's vectors says nothing of these.
        new = [row for row in stored if row.number >= view.head.rows]
        if not new or not view.expectation.weights.any():
            return
        texts = np.array([vectors[row.item.text] for row in new])
        for row, counters in zip(new, credits(view.expectation, texts), strict=True):
            write_counters(transaction, row.number, counters)

    def _log(
        self, transaction: Transaction, head: CatalogHead, stored: Sequence[StoredItem]
    ) -> CatalogHead:
        """Writes the items and, where one appears or disappears, the catalog log."""
        position, alive, rows = head.log_length, head.alive, head.rows
        for row in stored:
            old = read_item(transaction, row.item.id)
            write_item(transaction, row)
            if (old is not None and old.alive) != row.alive:
                change = CatalogChange(row.item.id, row.number, row.alive)
                write_change(transaction, position, change)
                position += 1
                alive += 1 if row.alive else -1
            rows = max(rows, row.number + 1)
        return dataclasses.replace(head, log_length=position, alive=alive, rows=rows)


def _differs(item: Item, stored: StoredItem | None) -> bool:
    return (
        stored is None
        or not stored.alive
        or stored.item.text != item.text
        or dict(stored.item.attributes) != dict(item.attributes)
    )
