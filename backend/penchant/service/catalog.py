"""Catalog: put, delete and read items; encode new texts, publish changes to every reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.catalog.item_biases import ItemBiasTable
from penchant.catalog.view import CatalogView
from penchant.domain.cold_start import prior_counters
from penchant.domain.errors import EncoderUnavailable
from penchant.domain.limits import Limits, check_ids, check_item
from penchant.domain.types import CatalogChange, CatalogHead, Item, StoredItem, Vector
from penchant.encoder.base import Encoders
from penchant.service.catalog_writer import MatrixChange, placed, rebuild_if_lost, write_catalog
from penchant.service.encoding import Space, encoder_of, space_of
from penchant.service.user_interest import Catalogs, Offered, rollout_directory
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import write_counters
from penchant.store.items import (
    read_head,
    read_item,
    scan_items,
    write_change,
    write_head,
    write_item,
    write_text_vector,
)
from penchant.store.rollouts import read_rollout, write_rollout

PLAN_RETRIES = 3
"""Times that a put is planned again after a change of the encoder; then the call fails."""


@dataclass(frozen=True, slots=True)
class PutResult:
    """The effect of a put."""

    head: CatalogHead
    changed: int
    unchanged: int
    encoded: int


@dataclass(frozen=True, slots=True)
class DeleteResult:
    """The effect of a deletion."""

    head: CatalogHead
    deleted: int
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class GetResult:
    """The items found under some ids."""

    head: CatalogHead
    items: list[Item]
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The changes that a put is going to make, as of the snapshot that it read."""

    changed: list[Item]
    spaces: list[Space]
    """The served catalog's, then that of the catalog on rollout, if any."""

    @property
    def idle(self) -> bool:
        """Whether nothing is left to write."""
        return not self.changed and not any(space.new for space in self.spaces)


def check_items(items: Sequence[Item], limits: Limits) -> Sequence[Item]:
    """The items to put; raises InvalidRequest if one breaks the contract, or an id is repeated."""
    check_ids("items", [item.id for item in items], limits.items, limits)
    for position, item in enumerate(items):
        check_item(f"items[{position}]", item, limits)
    return items


def check_item_ids(ids: Sequence[str], limits: Limits) -> Sequence[str]:
    """The ids to delete or read; raises InvalidRequest if they break the contract."""
    check_ids("ids", ids, limits.items, limits)
    return ids


class CatalogService:
    """Changes the served catalog and the one on rollout. One process at a time may run it."""

    def __init__(
        self, store: Store, catalogs: Catalogs, encoders: Encoders, item_biases: ItemBiasTable
    ) -> None:
        self._store = store
        self._catalogs = catalogs
        self._encoders = encoders
        rebuild_if_lost(store, catalogs.directory, item_biases)

    def put(self, items: Sequence[Item]) -> PutResult:
        """Adds or replaces items, which are durable and rankable when this returns.

        Raises:
            EncoderUnavailable: nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        for _ in range(PLAN_RETRIES + 1):
            with self._store.snapshot() as snapshot:
                plan = self._plan(snapshot, items)
            vectors = [space.encoded() for space in plan.spaces]
            head = plan.spaces[0].head if plan.idle else self._write(plan, vectors)
            if head is not None:
                count, encoded = len(plan.changed), len(plan.spaces[0].missing)
                return PutResult(head, count, len(items) - count, encoded)
        raise EncoderUnavailable("items: the encoder is being changed; put them again in a moment")

    def _plan(self, snapshot: Snapshot, items: Sequence[Item]) -> _Plan:
        changed = [item for item in items if _differs(item, read_item(snapshot, item.id))]
        texts = [item.text for item in changed]
        rollout = read_rollout(snapshot)
        heads = [read_head(snapshot)] + ([] if rollout is None else [rollout.head])
        encoders = [encoder_of(head, self._encoders) for head in heads]
        spaces = [
            space_of(snapshot, head, encoder, texts)
            for head, encoder in zip(heads, encoders, strict=True)
        ]
        return _Plan(changed, spaces)

    def delete(self, ids: Sequence[str]) -> DeleteResult:
        """Removes items from every ranking; raises StoreUnavailable."""
        with self._store.transaction() as transaction:
            offered = self._catalogs.read(transaction)
            found = [read_item(transaction, id_) for id_ in ids]
            alive = [stored for stored in found if stored is not None and stored.alive]
            unknown = sorted(set(ids) - {stored.item.id for stored in alive})
            head = offered.served.head
            if alive:
                gone = [dataclasses.replace(stored, alive=False) for stored in alive]
                logged = self._log(transaction, head, gone)
                change = MatrixChange(removed=[stored.number for stored in gone])
                changes = [change] * len(_views(offered))
                head = self._publish(transaction, offered, logged, changes)
        return DeleteResult(head, len(alive), unknown)

    def get(self, ids: Sequence[str]) -> GetResult:
        """The items as they were put, in order of the ids."""
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            found = [read_item(snapshot, id_) for id_ in ids]
        items = [stored.item for stored in found if stored is not None and stored.alive]
        held = {item.id for item in items}
        return GetResult(head, items, [id_ for id_ in ids if id_ not in held])

    def _write(self, plan: _Plan, vectors: list[dict[str, Vector]]) -> CatalogHead | None:
        """The new head; None, and nothing is written, if a release came or went meanwhile."""
        with self._store.transaction() as transaction:
            offered = self._catalogs.read(transaction)
            views = _views(offered)
            if [_space(view.head) for view in views] != [_space(s.head) for s in plan.spaces]:
                return None
            for space, mine in zip(plan.spaces, vectors, strict=True):
                for text, vector in mine.items():
                    write_text_vector(transaction, space.encoder.version, text, vector)
            served = plan.spaces[0]
            stored = self._number(transaction, offered.served.head, plan.changed)
            version = served.encoder.version
            self._count_prior(transaction, offered.served, stored, vectors[0], version)
            logged = self._log(transaction, offered.served.head, stored)
            logged = dataclasses.replace(
                logged, encoder_version=version, dimensions=served.encoder.dimensions
            )
            changes = [
                self._placed(transaction, space, mine, stored)
                for space, mine in zip(plan.spaces, vectors, strict=True)
            ]
            return self._publish(transaction, offered, logged, changes)

    def _placed(
        self,
        transaction: Transaction,
        space: Space,
        vectors: dict[str, Vector],
        stored: Sequence[StoredItem],
    ) -> MatrixChange:
        """The vectors of the changed items, or of all items in a new space."""
        rewritten = list(scan_items(transaction)) if space.new else stored
        alive = [row for row in rewritten if row.alive]
        version = space.encoder.version
        placements = [
            placed(transaction, version, row.number, vectors[row.item.text]) for row in alive
        ]
        return MatrixChange(
            numbers=np.array([row.number for row in alive], np.int64),
            vectors=np.array(placements),
            texts=np.array([vectors[row.item.text] for row in alive]),
            new_space=space.new,
        )

    def _publish(
        self,
        transaction: Transaction,
        offered: Offered,
        logged: CatalogHead,
        changes: Sequence[MatrixChange],
    ) -> CatalogHead:
        """Writes files and heads of both catalogs; returns the served catalog's head."""
        directory, rollout = self._catalogs.directory, offered.rollout
        head = write_catalog(directory, offered.served, logged, changes[0])
        write_head(transaction, head)
        if rollout is not None and offered.candidate is not None:
            tried = dataclasses.replace(
                offered.candidate.head,
                log_length=logged.log_length,
                alive=logged.alive,
                rows=logged.rows,
            )
            place = rollout_directory(directory, rollout.release)
            tried = write_catalog(place, offered.candidate, tried, changes[1])
            write_rollout(transaction, dataclasses.replace(rollout, head=tried))
        return head

    def _number(
        self, transaction: Transaction, head: CatalogHead, items: Sequence[Item]
    ) -> list[StoredItem]:
        """Assigns the next numbers to new items; known items keep theirs."""
        stored, next_number = [], head.rows
        for item in items:
            old = read_item(transaction, item.id)
            number = next_number if old is None else old.number
            next_number += old is None
            stored.append(StoredItem(item, number, alive=True))
        return stored

    def _count_prior(
        self,
        transaction: Transaction,
        view: CatalogView,
        stored: Sequence[StoredItem],
        vectors: dict[str, Vector],
        encoder_version: str,
    ) -> None:
        """Writes the counters that new items start with: the likes that their texts predict."""
        if view.head.encoder_version != encoder_version:
            return  # The prior was fitted to the old encoder's vectors.
        new = [row for row in stored if row.number >= view.head.rows]
        if not new or not view.frozen.cold_start_prior.weights.any():
            return
        texts = np.array([vectors[row.item.text] for row in new])
        for row, counters in zip(
            new, prior_counters(view.frozen.cold_start_prior, texts), strict=True
        ):
            write_counters(transaction, row.number, counters)

    def _log(
        self, transaction: Transaction, head: CatalogHead, stored: Sequence[StoredItem]
    ) -> CatalogHead:
        """Writes the items, and a catalog log entry for each that appears or disappears."""
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


def _views(offered: Offered) -> list[CatalogView]:
    return [offered.served] + ([] if offered.candidate is None else [offered.candidate])


def _space(head: CatalogHead) -> tuple[str, str]:
    return head.release, head.encoder_version


def _differs(item: Item, stored: StoredItem | None) -> bool:
    return (
        stored is None
        or not stored.alive
        or stored.item.text != item.text
        or dict(stored.item.attributes) != dict(item.attributes)
    )
