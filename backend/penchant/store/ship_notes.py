"""What a store knows of the shipping of its log: where to, how far, and what to tell it.

Shipping finds new rows of the log by their state versions, which costs whoever writes them nothing.
Four things break that order, all of them rare, and leave a note in the transaction that does them:
a user is forgotten, is merged into another, loses the last row (so that versions begin again), or a
row changes. A store whose log is not shipped takes no notes. Notes name users as tombstones do.

Where several servers write, a note travels with the rows of the user that it is about (`merge`): it
is there if they have changed, and only then, and can be read once the store is settled. It gets its
position before: positions rise in the order in which one change follows another, but the note of a
later one may be there first, and a change that was given up leaves a gap.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.domain.pseudonyms import name_of
from penchant.domain.window import digest64
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.codec import seal, sound, unseal
from penchant.store.keys import Kind, decode, encode
from penchant.store.network_store import in_network

log = logging.getLogger("penchant")

_KEY = encode(Kind.SHIPPING)
_Row = TypeVar("_Row")
_LOSSES = 10

NoteKind = Literal["forgotten", "merged", "lowered", "changed"]


@dataclass(frozen=True, slots=True)
class ShippingState:
    """How far the shipping of a log has come, as its store knows it."""

    place: str
    """Random id of the place that the log is shipped to."""
    url: str
    begun: str = ""
    """Random token of the commit that was begun last."""
    done: str = ""
    """Token of the commit that was last known to be made; equal to `begun` between two commits."""
    next_note: int = 0
    """Position of the next note that is begun."""
    losses: int = 0
    """Notes for which a full store had no room, counted from 0 to 9 and again."""
    at_us: int = 0
    """When shipping last found nothing left to ship, in microseconds since 1970; 0: never."""
    trims: bool = False
    """Whether events may have been deleted from the store because the place holds them."""


@dataclass(frozen=True, slots=True)
class ShipNote:
    """One change of the log."""

    kind: NoteKind
    name: str
    """Of the user, as `name_of` gives it."""
    position: int = 0
    version: int = 0
    """`lowered`: the user's state version from now on."""
    events: tuple[int, ...] = ()
    """`changed`: digests of the changed rows; `merged`: of all rows that the user had."""
    to: str = ""
    """`merged`: the user that is kept."""
    until_us: int | None = None
    """`merged`: events up to this time are gone, since the user that is kept was forgotten."""
    receipt: str = ""
    """`forgotten`: id of the receipt."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far a forgotten user is gone from the shipped files."""

    receipt: str
    """Id of the receipt."""
    hidden_at_us: int = 0
    """Since when no reader sees the user's rows, in microseconds since 1970."""
    erased_at_us: int = 0
    """When the last file that held them was deleted; 0: not yet."""


def read_shipping(snapshot: Snapshot) -> ShippingState | None:
    """The state of the shipping; None: the log is not shipped. Raises StateCorrupt."""
    value = snapshot.get(_KEY)
    return None if value is None else _or_begin_anew(_decode_state, value)


def _or_begin_anew(decode: Callable[[bytes], _Row], value: bytes) -> _Row:
    """A row of the shipping, which nothing makes again; raises StateCorrupt with what to do."""
    try:
        return decode(value)
    except StateCorrupt as error:
        raise StateCorrupt(
            f"{error}; shipping can't go on: `penchant ship --end`, ship to a new place, which "
            "gets the whole log of the store, and keep the old place for events that were trimmed"
        ) from error


@sound("state of the shipping")
def _decode_state(value: bytes) -> ShippingState:
    fields = json.loads(str(unseal(value, "state of the shipping"), "utf-8"))
    known = {field.name for field in dataclasses.fields(ShippingState)}  # A later release has more.
    return ShippingState(**{name: value for name, value in fields.items() if name in known})


def write_shipping(transaction: Transaction, state: ShippingState) -> None:
    """Replaces the state of the shipping."""
    transaction.put(_KEY, _encoded(state))


def delete_shipping(transaction: Transaction) -> None:
    """Ends the shipping: later changes leave no notes, and earlier notes go."""
    transaction.delete(_KEY)
    delete_notes(transaction, None)


def _encoded(state: ShippingState) -> bytes:
    return seal(json.dumps(dataclasses.asdict(state), separators=(",", ":")).encode())


def note_forgotten(transaction: Transaction, user: str, receipt: str) -> None:
    """Tells the shipping that a user was forgotten."""
    _note(transaction, ShipNote("forgotten", name_of(user), receipt=receipt), user)


def note_lowered(transaction: Transaction, user: str, version: int) -> None:
    """Tells the shipping that a user's next event has the state version after this one."""
    _note(transaction, ShipNote("lowered", name_of(user), version=version), user)


def note_changed(transaction: Transaction, user: str, event_ids: Sequence[str]) -> None:
    """Tells the shipping that rows of a user's log were replaced in place."""
    if event_ids:
        digests = tuple(map(digest64, event_ids))
        _note(transaction, ShipNote("changed", name_of(user), events=digests), user)


def note_merged(transaction: Transaction, user: str, to: str, until_us: int | None) -> None:
    """Tells the shipping that a user becomes another; before any row moves.

    Args:
        transaction: the merge's.
        user: the user that goes.
        to: the user that stays.
        until_us: time up to which the user that stays was forgotten, or None.

    Where several servers write, the users change one after the other, and the note goes with each:
    the first comes before whatever is done to the user that stays, the second after the other's
    rows are gone. Twice is as once.
    """
    if _shipping_to_tell(transaction) is not None:
        keys = [key for key, _ in transaction.scan(encode(Kind.LOG, user))]
        digests = tuple(int(decode(key)[1][1]) for key in keys)
        note = ShipNote("merged", name_of(user), events=digests, to=str(to), until_us=until_us)
        if transaction.shared:
            _note(transaction, note, to)
        _note(transaction, note, user)


def _note(transaction: Transaction, note: ShipNote, user: str) -> None:
    """Adds a note; where a full store has no room for it, counts the loss, which fits in place."""
    state = _shipping_to_tell(transaction)
    if state is None:
        return
    try:
        add_note(transaction, state.next_note, note, user)
        write_shipping(transaction, dataclasses.replace(state, next_note=state.next_note + 1))
    except StoreUnavailable:
        if transaction.shared:
            raise
        transaction.delete(encode(Kind.SHIP_NOTE, state.next_note))
        losses = (state.losses + 1) % _LOSSES
        write_shipping(transaction, dataclasses.replace(state, losses=losses))


def _shipping_to_tell(snapshot: Snapshot) -> ShippingState | None:
    """The state of the shipping; None: nobody will read a note.

    Where the state can't be read, shipping can't go on, and must be begun anew at another place,
    with the whole log: what is not noted until then is lost to nobody.
    """
    try:
        return read_shipping(snapshot)
    except StateCorrupt as error:
        log.error("%s", error)
        return None


def add_note(transaction: Transaction, position: int, note: ShipNote, user: str) -> None:
    """Adds a note at a position, along with the rows of a user."""
    left_out = {"position"}
    fields = {k: v for k, v in dataclasses.asdict(note).items() if v and k not in left_out}
    text = json.dumps(fields, separators=(",", ":")).encode()
    transaction.merge(encode(Kind.SHIP_NOTE, position), seal(text), user=user)


def note_with(row: bytes | None, operand: bytes) -> bytes:
    """The rule of its merges: a position has one note."""
    unseal(operand, "note to the shipping")
    return operand


def read_notes(snapshot: Snapshot, start: int = 0) -> list[ShipNote]:
    """The notes from a position on, in order.

    Raises:
        StateCorrupt, StateTooNew: one can't be read.
    """
    scanned = snapshot.scan(encode(Kind.SHIP_NOTE), encode(Kind.SHIP_NOTE, start))
    return [
        dataclasses.replace(_or_begin_anew(_decode_note, value), position=int(decode(key)[1][0]))
        for key, value in scanned
    ]


def read_all_notes(store: Store) -> list[ShipNote]:
    """The notes of all changes that were made, in an order in which they can be answered.

    Where several servers write, a note may be there before one that it follows. All that were begun
    before the last of one reading are there at the next one, if they were made at all; those that
    the next one finds beyond are left for later.

    Raises:
        StateCorrupt, StateTooNew: one can't be read.
        StoreUnavailable: the store can't be read or settled.
    """
    first = _settled_notes(store)
    if not (store.shared and first):
        return first
    return [note for note in _settled_notes(store) if note.position <= first[-1].position]


def _settled_notes(store: Store) -> list[ShipNote]:
    if store.shared:
        in_network(store).settle()
    with store.snapshot() as snapshot:
        return read_notes(snapshot)


def names_noted_since(store: Store, answered: Iterable[int]) -> set[str]:
    """The names of the users of whom a note is there that is not among some.

    Empty on a store of one writer, whose snapshots are of one moment.

    Raises:
        StateCorrupt, StateTooNew: one can't be read.
        StoreUnavailable: the store can't be read or settled.
    """
    if not store.shared:
        return set()
    known = set(answered)
    late = [note for note in _settled_notes(store) if note.position not in known]
    return {note.name for note in late} | {name_of(note.to) for note in late if note.to}


@sound("note to the shipping")
def _decode_note(value: bytes) -> ShipNote:
    fields = json.loads(str(unseal(value, "note to the shipping"), "utf-8"))
    return ShipNote(**{**fields, "events": tuple(fields.get("events", ()))})


def delete_notes(transaction: Transaction, end: int | None, others: Iterable[int] = ()) -> None:
    """Removes the notes before a position, and those at others; None: all."""
    for position in others:
        transaction.delete(encode(Kind.SHIP_NOTE, position))
    if end == 0:
        return
    for key, _ in list(transaction.scan(encode(Kind.SHIP_NOTE))):
        if end is None or int(decode(key)[1][0]) < end:
            transaction.delete(key)


def read_erasure(snapshot: Snapshot, name: str) -> Erasure | None:
    """How far a forgotten user is gone from the shipped files; None: shipping has not met it.

    Args:
        snapshot: the store.
        name: the user's, as `name_of` gives it.
    """
    value = snapshot.get(encode(Kind.ERASURE, name))
    return None if value is None else _decode_erasure(value)


@sound("erasure")
def _decode_erasure(value: bytes) -> Erasure:
    receipt, hidden_at_us, erased_at_us = json.loads(str(unseal(value, "erasure"), "utf-8"))
    return Erasure(receipt, hidden_at_us, erased_at_us)


def write_erasure(transaction: Transaction, name: str, erasure: Erasure) -> None:
    """Replaces how far a forgotten user is gone."""
    row = [erasure.receipt, erasure.hidden_at_us, erasure.erased_at_us]
    transaction.put(encode(Kind.ERASURE, name), seal(json.dumps(row).encode()))
