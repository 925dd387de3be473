"""Import: read a row, check it, send a batch, note what was acked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from penchant.logs.tables.cells import BadRow
from penchant.logs.tables.files import Row, Table
from penchant.logs.tables.import_progress import Ledger

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """What a server made of one batch."""

    counts: Mapping[str, int]
    """Things by what became of them, the refused ones aside."""
    refused: Mapping[int, str] = field(default_factory=dict)
    """Reason by position in the batch."""


@dataclass(frozen=True, slots=True)
class Batches(Generic[T]):
    """How rows become things, and things go to the server."""

    read: Callable[[Row], T]
    """Raises BadRow."""
    send: Callable[[Sequence[T]], Sent]
    size: int
    """Things in one batch, at most."""
    key: Callable[[T], Hashable] | None = None
    """Two things with one key never share a batch; None: any may."""


def load(
    table: Table,
    batches: Batches[T],
    ledger: Ledger,
    on_progress: Callable[[], None] = lambda: None,
) -> None:
    """Sends all rows of a table behind the ledger's row; raises what `send` raises.

    Whatever ends it early, the ledger holds what was acked, and a second call goes on from there.
    """
    for rows, things in _batched(table, batches, ledger):
        if things:
            sent = batches.send(things)
            ledger.counts.update(sent.counts)
            for position, reason in sorted(sent.refused.items()):
                ledger.reject(rows[position], reason)
            ledger.save(rows[-1].number)
        on_progress()
    ledger.finish()


def _batched(
    table: Table, batches: Batches[T], ledger: Ledger
) -> Iterator[tuple[list[Row], list[T]]]:
    rows: list[Row] = []
    things: list[T] = []
    keys: set[Hashable] = set()
    done = ledger.row
    seen = 0
    for row in table.rows():
        seen += 1
        if row.number <= done:
            continue
        try:
            thing = batches.read(row)
        except BadRow as error:
            ledger.reject(row, str(error))
            if seen % batches.size == 0:
                yield [], []  # So that a file of nothing but bad rows shows progress too.
            continue
        key = batches.key(thing) if batches.key else None
        if len(things) == batches.size or (key is not None and key in keys):
            yield rows, things
            rows, things, keys = [], [], set()
        rows.append(row)
        things.append(thing)
        keys.add(key)
    yield rows, things
