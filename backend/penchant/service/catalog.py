"""Catalog: put, delete and read items; encode what changed, publish it to every reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from penchant.catalog.offsets import OffsetBook
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.errors import EncoderUnavailable
from penchant.domain.newcomers import credits
from penchant.domain.types import CatalogChange, CatalogHead, Item, StoredItem, Vector
from penchant.encoder.base import Encoder, Encoders
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
PLANNED_AGAIN = 3
"""How often a put follows a change of the encoder before the caller is told to come again."""


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


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a put is going to do, as of the head that it saw."""

    head: CatalogHead
    encoder: Encoder
    changed: list[Item]
    known: dict[str, Vector]
    """Vectors of texts that were encoded before."""
    missing: list[str]
    """Texts to encode."""
    new_space: bool


class CatalogService:
    """Changes the catalog; one process at a time."""

    def __init__(
        self,
        store: Store,
        reader: CatalogReader,
        directory: Path,
        encoders: Encoders,
        book: OffsetBook,
    ) -> None:
        self._store = store
        self._reader = reader
        self._directory = directory
        self._encoders = encoders
        rebuild_if_lost(store, directory, book)

    def put(self, items: Sequence[Item]) -> PutResult:
        """Adds or replaces items; all of them are durable and rankable when this returns.

        Raises:
            EncoderUnavailable: nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        for _ in range(PLANNED_AGAIN + 1):
            with self._store.snapshot() as snapshot:
                plan = self._plan(snapshot, items)
            vectors = plan.known | self._encode(plan)
            head = self._write(plan, vectors) if plan.changed or plan.new_space else plan.head
            if head is not None:
                count = len(plan.changed)
                return PutResult(head, count, len(items) - count, len(plan.missing))
        raise EncoderUnavailable("items: the encoder is being changed; put them again in a moment")

    def _plan(self, snapshot: Snapshot, items: Sequence[Item]) -> _Plan:
        head = read_head(snapshot)
        encoder = encoder_of(head, self._encoders)
        changed = [item for item in items if _differs(item, read_item(snapshot, item.id))]
        texts = [item.text for item in changed]
        new_space = head.rows > 0 and head.encoder_version != encoder.version
        if new_space:
            texts += [stored.item.text for stored in scan_items(snapshot) if stored.alive]
        known, missing = known_vectors(snapshot, encoder.version, texts)
        return _Plan(head, encoder, changed, known, missing, new_space)

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

    def _encode(self, plan: _Plan) -> dict[str, Vector]:
        """Encodes slice by slice, so that others' texts get their turn in between."""
        vectors: dict[str, Vector] = {}
        for start in range(0, len(plan.missing), ENCODE_TEXTS):
            part = plan.missing[start : start + ENCODE_TEXTS]
            vectors |= zip(part, plan.encoder.encode(part), strict=True)
        return vectors

    def _write(self, plan: _Plan, vectors: dict[str, Vector]) -> CatalogHead | None:
        """The head afterwards; None: a release was published meanwhile, and nothing written."""
        encoder = plan.encoder
        with self._store.transaction() as transaction:
            view = read_catalog(transaction, self._reader)
            if _space(view.head) != _space(plan.head):
                return None
            for text, vector in vectors.items():
                write_text_vector(transaction, encoder.version, text, vector)
            stored = self._number(transaction, view.head, plan.changed)
            self._credit(transaction, view, stored, vectors, encoder.version)
            head = self._log(transaction, view.head, stored)
            head = dataclasses.replace(
                head, encoder_version=encoder.version, dimensions=encoder.dimensions
            )
            rewritten = list(scan_items(transaction)) if plan.new_space else stored
            alive = [row for row in rewritten if row.alive]
            placements = [
                placed(transaction, head, row.number, vectors[row.item.text]) for row in alive
            ]
            publication = Publication(
                numbers=np.array([row.number for row in alive], np.int64),
                vectors=np.array(placements),
                new_space=plan.new_space,
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
        encoder_version: str,
    ) -> None:
        """Items that come now start with the likes that their texts predict."""
        if view.head.encoder_version != encoder_version:
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


def encoder_of(head: CatalogHead, encoders: Encoders) -> Encoder:
    """The encoder that new texts of a catalog need: its release's, or else the configured one.

    Raises:
        EncoderUnavailable: the release's encoder is not there.
    """
    return encoders.of(head.encoder_version, head.dimensions) if head.release else encoders.default


def known_vectors(
    snapshot: Snapshot, encoder_version: str, texts: Iterable[str]
) -> tuple[dict[str, Vector], list[str]]:
    """Vectors of the texts that this encoder has encoded before, and the texts that it has not."""
    known: dict[str, Vector] = {}
    missing: list[str] = []
    for text in dict.fromkeys(texts):
        vector = read_text_vector(snapshot, encoder_version, text)
        if vector is None:
            missing.append(text)
        else:
            known[text] = vector
    return known, missing


def _space(head: CatalogHead) -> tuple[str, str]:
    return head.release, head.encoder_version


def _differs(item: Item, stored: StoredItem | None) -> bool:
    return (
        stored is None
        or not stored.alive
        or stored.item.text != item.text
        or dict(stored.item.attributes) != dict(item.attributes)
    )
