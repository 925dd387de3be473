"""The catalog's items, log, head and text vectors."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import CatalogChange, CatalogHead, StoredItem, Vector
from penchant.store import codec
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.corrupt_rows import named, readable
from penchant.store.item_residuals import residuals_of_others
from penchant.store.keys import Kind, decode, encode
from penchant.store.short_transactions import in_short_transactions

_PUT = "put the item again"
_REWRITE = (
    "a start of the server writes it again from the items, and so does `penchant rebuild records`"
)


def read_head(snapshot: Snapshot) -> CatalogHead:
    """The catalog's head; that of an empty catalog if none was written yet.

    Raises:
        StateCorrupt: it can't be read; the text says what to do.
    """
    value = snapshot.get(encode(Kind.HEAD))
    try:
        return CatalogHead() if value is None else codec.decode_head(value)
    except StateCorrupt as error:
        raise StateCorrupt(
            f"{error}; a start of the server makes it again from the items, or, where some of them "
            "can't be read, `penchant rebuild records`"
        ) from error


def write_head(transaction: Transaction, head: CatalogHead) -> None:
    """Switches the catalog; readers follow at their next snapshot."""
    transaction.put(encode(Kind.HEAD), codec.encode_head(head))


def read_item(snapshot: Snapshot, id_: str) -> StoredItem | None:
    """An item, deleted or not, or None; raises StateCorrupt or StateTooNew."""
    value = snapshot.get(encode(Kind.ITEM, id_))
    try:
        return None if value is None else codec.decode_item(value)
    except StateCorrupt as error:
        raise named(error, id_, _PUT) from error


def read_sound_item(snapshot: Snapshot, id_: str) -> StoredItem | None:
    """An item, deleted or not, or None; None, too, if it is corrupt: the log says so."""
    key = encode(Kind.ITEM, id_)
    value = snapshot.get(key)
    if value is None:
        return None
    return next((one for _, one in readable([(key, value)], codec.decode_item, _PUT)), None)


def fetch_items(snapshot: Snapshot, ids: Iterable[str]) -> None:
    """Says which items will be read; see `Snapshot.fetch`."""
    snapshot.fetch(encode(Kind.ITEM, id_) for id_ in ids)


def write_item(transaction: Transaction, stored: StoredItem) -> None:
    """Replaces an item."""
    transaction.put(encode(Kind.ITEM, stored.item.id), codec.encode_item(stored))


def scan_items(snapshot: Snapshot) -> Iterator[StoredItem]:
    """Every item ever put, deleted ones included, in order of the ids."""
    rows = snapshot.scan(encode(Kind.ITEM))
    for _, stored in readable(rows, codec.decode_item, _PUT):
        yield stored


def mark_items(snapshot: Snapshot) -> dict[bytes, int]:
    """A checksum of each item's row, by which `items_changed` finds what changed later."""
    return {key: zlib.crc32(row) for key, row in snapshot.scan(encode(Kind.ITEM))}


def items_changed(snapshot: Snapshot, marks: Mapping[bytes, int]) -> list[StoredItem]:
    """The items put, changed or deleted since `mark_items`. Cost: about 2 µs for each item."""
    rows = snapshot.scan(encode(Kind.ITEM))
    changed = [(key, row) for key, row in rows if marks.get(key) != zlib.crc32(row)]
    return [stored for _, stored in readable(changed, codec.decode_item, _PUT)]


def write_change(transaction: Transaction, position: int, change: CatalogChange) -> None:
    """Appends an entry to the catalog log."""
    transaction.put(encode(Kind.CHANGE, position), codec.encode_change(change))


def read_changes(snapshot: Snapshot, start: int) -> Iterator[CatalogChange]:
    """The catalog log from a position on.

    Raises:
        StateCorrupt: an entry can't be read; the text says what to do.
    """
    prefix = encode(Kind.CHANGE)
    for key, value in snapshot.scan(prefix, encode(Kind.CHANGE, start)):
        try:
            yield codec.decode_change(value)
        except StateCorrupt as error:
            raise named(error, decode(key)[1][0], _REWRITE) from error


def last_change(snapshot: Snapshot) -> int | None:
    """Position of the last entry of the catalog log; None if there is none. Cost: a scan."""
    prefix = encode(Kind.CHANGE)
    last = None
    for key, _ in snapshot.scan(prefix):
        last = key
    return None if last is None else int(decode(last)[1][0])


def catalog_log_is_whole(snapshot: Snapshot, rows: int) -> bool:
    """Whether the catalog log can be read, and names each of the first `rows` items."""
    try:
        return {change.number for change in read_changes(snapshot, 0)} >= set(range(rows))
    except StateCorrupt:
        return False


def rewrite_log(transaction: Transaction, rows: int) -> None:
    """Writes the catalog log again from the items; an item that can't be read is left out.

    Readers that followed the old log see no difference: they read on from its end.
    """
    items = {stored.number: stored for stored in scan_items(transaction)}
    for key in [key for key, _ in transaction.scan(encode(Kind.CHANGE))]:
        transaction.delete(key)
    for number in range(rows):
        stored = items.get(number)
        id_, alive = ("", False) if stored is None else (stored.item.id, stored.alive)
        write_change(transaction, number, CatalogChange(id_, number, alive))


def _text_key(encoder_version: str, text: str) -> bytes:
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return encode(Kind.TEXT_VECTOR, encoder_version, digest)


def read_text_vector(snapshot: Snapshot, encoder_version: str, text: str) -> Vector | None:
    """The vector of a text by an encoder, shape (d,), or None if it was never encoded.

    None, too, if it is corrupt: whoever needs it encodes the text again, or says what is lost.
    """
    value = snapshot.get(_text_key(encoder_version, text))
    try:
        return None if value is None else codec.decode_vector(value)
    except StateCorrupt:
        return None


def fetch_text_vectors(snapshot: Snapshot, encoder_version: str, texts: Iterable[str]) -> None:
    """Says which texts' vectors will be read; see `Snapshot.fetch`."""
    snapshot.fetch(_text_key(encoder_version, text) for text in texts)


def encoders_of_texts(snapshot: Snapshot) -> list[str]:
    """The versions of the encoders whose vectors of texts are kept. Cost: a search for each."""
    found: list[str] = []
    start = prefix = encode(Kind.TEXT_VECTOR)
    while (row := next(iter(snapshot.scan(prefix, start)), None)) is not None:
        found.append(str(decode(row[0])[1][0]))
        start = encode(Kind.TEXT_VECTOR, found[-1]) + b"\xff"
    return found


def write_text_vector(
    transaction: Transaction, encoder_version: str, text: str, vector: Vector
) -> None:
    """Keeps the vector of a text by an encoder."""
    transaction.put(_text_key(encoder_version, text), codec.encode_vector(vector))


def drop_encoders(store: Store, kept: Collection[str]) -> int:
    """Drops the vectors and residuals of all other encoders; returns their number.

    In short transactions, so that others can write meanwhile. Cost: a scan of all of them.
    """
    with store.snapshot() as snapshot:
        dropped = [
            key
            for key, _ in snapshot.scan(encode(Kind.TEXT_VECTOR))
            if decode(key)[1][0] not in kept
        ]
        dropped += residuals_of_others(snapshot, kept)
    in_short_transactions(store, dropped, lambda transaction, key: transaction.delete(key))
    return len(dropped)
