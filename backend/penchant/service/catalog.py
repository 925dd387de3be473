"""Catalog: put, delete and read items; encode new texts, publish changes to every reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from penchant.catalog.view import CatalogView
from penchant.domain.cold_start import prior_counters
from penchant.domain.errors import EncoderUnavailable, InvalidRequest, StateCorrupt
from penchant.domain.limits import Limits, check_ids, check_item
from penchant.domain.types import CatalogChange, CatalogHead, Item, StoredItem, Vector
from penchant.domain.user_contribution import credit
from penchant.encoder.base import Encoders
from penchant.service.catalog_writer import MatrixChange, placed, write_catalog
from penchant.service.encoding import Space, encoder_of, space_of
from penchant.service.slices import whole
from penchant.service.user_interest import Catalogs, Offered, rollout_directory
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.counters import write_counters
from penchant.store.item_contributions import CATALOG, write_contribution
from penchant.store.item_residuals import fetch_residuals
from penchant.store.items import (
    fetch_text_vectors,
    item_keys,
    read_head,
    read_item,
    read_sound_item,
    read_text_vector,
    scan_items,
    write_change,
    write_head,
    write_item,
    write_text_vector,
)
from penchant.store.rollouts import read_rollout, write_rollout

REPLY_BYTES = 4 << 20
"""Bytes of items in one reply, at most."""
PAGE_BYTES = 1 << 20
"""Bytes of items after which a page ends."""
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
class GetRequest:
    """Ids of items to read."""

    ids: Sequence[str]
    paged: bool = False
    """Whether the result may cover only the first of the ids."""


@dataclass(frozen=True, slots=True)
class GetResult:
    """The items found under some ids."""

    head: CatalogHead
    items: list[Item]
    unknown: list[str]
    covered: int
    """Ids, from the first, that this is the answer for."""


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
    check_ids("items", [item.id for item in items], limits.items, limits, ".id")
    for position, item in enumerate(items):
        check_item(f"items[{position}]", item, limits)
    return items


def check_item_ids(ids: Sequence[str], limits: Limits) -> Sequence[str]:
    """The ids to delete or read; raises InvalidRequest if they break the contract."""
    check_ids("ids", ids, limits.items, limits)
    return ids


def check_get(request: GetRequest, limits: Limits) -> GetRequest:
    """The request; raises InvalidRequest if its ids break the contract."""
    check_item_ids(request.ids, limits)
    return request


class CatalogService:
    """Changes the served catalog and the one on rollout. One process at a time may run it."""

    def __init__(self, store: Store, catalogs: Catalogs, encoders: Encoders) -> None:
        self._store = store
        self._catalogs = catalogs
        self._encoders = encoders

    def put(self, items: Sequence[Item]) -> PutResult:
        """See `put_in_slices`, here without a pause."""
        return whole(self.put_in_slices(items))

    def put_in_slices(self, items: Sequence[Item]) -> Generator[None, None, PutResult]:
        """Adds or replaces items, which are durable and rankable when this returns.

        Pauses after every few texts. All items are written in one transaction at the end.

        Raises:
            EncoderUnavailable: nothing was changed.
            StoreUnavailable: nothing was changed.
        """
        for _ in range(PLAN_RETRIES + 1):
            with self._store.snapshot() as snapshot:
                plan = self._plan(snapshot, items)
            vectors = []
            for space in plan.spaces:
                vectors.append((yield from space.encoded()))
            head = plan.spaces[0].head if plan.idle else self._write(plan, vectors)
            if head is not None:
                count, encoded = len(plan.changed), len(plan.spaces[0].missing)
                return PutResult(head, count, len(items) - count, encoded)
        raise EncoderUnavailable("items: the encoder is being changed; put them again in a moment")

    def _plan(self, snapshot: Snapshot, items: Sequence[Item]) -> _Plan:
        version = read_head(snapshot).encoder_version
        snapshot.fetch(item_keys([item.id for item in items]))
        fetch_text_vectors(snapshot, version, [item.text for item in items])
        changed = [
            item
            for item in items
            if _differs(item, read_sound_item(snapshot, item.id))
            or read_text_vector(snapshot, version, item.text) is None
        ]
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
        return in_transaction(self._store, partial(self._delete, ids=ids))

    def _delete(self, transaction: Transaction, ids: Sequence[str]) -> DeleteResult:
        offered = self._catalogs.read(transaction)
        found = [_held_item(transaction, offered.served, id_) for id_ in ids]
        alive = [stored for stored in found if stored is not None and stored.alive]
        unknown = sorted(set(ids) - {stored.item.id for stored in alive})
        head = offered.served.head
        if alive:
            gone = [dataclasses.replace(stored, alive=False) for stored in alive]
            logged = self._log(transaction, offered.served, gone)
            change = MatrixChange(removed=[stored.number for stored in gone])
            changes = [change] * len(_views(offered))
            head = self._publish(transaction, offered, logged, changes)
        return DeleteResult(head, len(alive), unknown)

    def get(self, request: GetRequest) -> GetResult:
        """The items as they were put, in order of the ids, as many as fit into a reply.

        Raises:
            InvalidRequest: they do not fit, and the caller takes no pages.
        """
        most = PAGE_BYTES if request.paged else REPLY_BYTES
        items: list[Item] = []
        unknown: list[str] = []
        covered = size = 0
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            for id_ in request.ids:
                stored = read_sound_item(snapshot, id_)
                if stored is None or not stored.alive:
                    unknown.append(id_)
                else:
                    size += _size(stored.item)
                    if size > most and covered:
                        break
                    items.append(stored.item)
                covered += 1
        if covered < len(request.ids) and not request.paged:
            raise InvalidRequest(
                f"ids: got {len(request.ids)} ids of items of more than {REPLY_BYTES} bytes, "
                f"expected at most that; ask for {covered} ids at a time, or set `paged`"
            )
        return GetResult(head, items, unknown, covered)

    def _write(self, plan: _Plan, vectors: list[dict[str, Vector]]) -> CatalogHead | None:
        """The new head; None, and nothing is written, if a release came or went meanwhile."""
        return in_transaction(self._store, partial(self._write_in, plan=plan, vectors=vectors))

    def _write_in(
        self, transaction: Transaction, plan: _Plan, vectors: list[dict[str, Vector]]
    ) -> CatalogHead | None:
        offered = self._catalogs.read(transaction)
        views = _views(offered)
        if [_space(view.head) for view in views] != [_space(s.head) for s in plan.spaces]:
            return None
        for space, mine in zip(plan.spaces, vectors, strict=True):
            for text, vector in mine.items():
                write_text_vector(transaction, space.encoder.version, text, vector)
        served = plan.spaces[0]
        transaction.fetch(item_keys([item.id for item in plan.changed]))
        stored = self._number(transaction, offered.served, plan.changed)
        version = served.encoder.version
        self._count_prior(transaction, offered.served, stored, vectors[0], version)
        logged = self._log(transaction, offered.served, stored)
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
        fetch_residuals(transaction, version, [row.number for row in alive])
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
        self, transaction: Transaction, view: CatalogView, items: Sequence[Item]
    ) -> list[StoredItem]:
        """Assigns the next numbers to new items; known items keep theirs."""
        stored, next_number = [], view.head.rows
        for item in items:
            old = _held_item(transaction, view, item.id)
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
            write_contribution(transaction, row.number, CATALOG, credit(counters))

    def _log(
        self, transaction: Transaction, view: CatalogView, stored: Sequence[StoredItem]
    ) -> CatalogHead:
        """Writes the items, and a catalog log entry for each that appears or disappears."""
        head = view.head
        position, alive, rows = head.log_length, head.alive, head.rows
        for row in stored:
            old = _held_item(transaction, view, row.item.id)
            write_item(transaction, row)
            if (old is not None and old.alive) != row.alive:
                change = CatalogChange(row.item.id, row.number, row.alive)
                write_change(transaction, position, change)
                position += 1
                alive += 1 if row.alive else -1
            rows = max(rows, row.number + 1)
        return dataclasses.replace(head, log_length=position, alive=alive, rows=rows)


def _held_item(snapshot: Snapshot, view: CatalogView, id_: str) -> StoredItem | None:
    """An item, deleted or not, or None; of a corrupt one, only its number and that it is alive."""
    try:
        return read_item(snapshot, id_)
    except StateCorrupt:
        number = view.number(id_)
        return None if number is None else StoredItem(Item(id_, "", {}), number, alive=True)


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


def _size(item: Item) -> int:
    """About the bytes of an item in a reply."""
    return len(item.text) + sum(len(key) + len(value) for key, value in item.attributes.items())
