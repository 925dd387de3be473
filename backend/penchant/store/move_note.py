"""What a store knows of its own move to another engine: nothing, or from where and how far.

The note lies beside the rows, since it is of one store alone: in a file of an LMDB store's
directory, and under a key of its own in Valkey. Both stores of a move bear its id, so that a copy
is never mistaken for that of another store.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, cast

from penchant.domain.errors import ConfigError, StateCorrupt
from penchant.store.address import directory_of, shown
from penchant.store.base import Store
from penchant.system.durable_file import whole_file

FILE = "move.json"
"""The note's file in the directory of an LMDB store."""

MOVING = "moving"
"""Name of the lease that a move holds on a store in a network."""

MoveState = Literal["copied", "left", "arriving", "arrived"]


@dataclass(frozen=True, slots=True)
class MoveNote:
    """One end of a move."""

    id: str
    """Random; the same at both ends."""
    state: MoveState
    """`copied`: this store is in use, and was copied. `left`: the other one took its place.
    `arriving`: this one is not complete. `arrived`: this one took the other's place."""
    other: str
    """Address of the other end, without a password."""


class KeepsNotice(Protocol):
    """A store in a network, which keeps the note, and knows who uses it."""

    def notice(self) -> bytes | None:
        """The note; raises StoreUnavailable."""
        ...

    def keep_notice(self, content: bytes) -> None:
        """Replaces the note; raises StoreUnavailable."""
        ...


def read_move(address: str, store: Store | None = None) -> MoveNote | None:
    """The note of a store; None: it has never moved.

    Args:
        address: of the store.
        store: the open store; not needed for one in a directory.

    Raises:
        StateCorrupt: it can't be read.
        StoreUnavailable: the store does not answer.
    """
    place = directory_of(address)
    if place is not None:
        content = (place / FILE).read_bytes() if (place / FILE).is_file() else None
    else:
        content = _noticing(store).notice() if hasattr(store, "notice") else None
    if content is None:
        return None
    try:
        return MoveNote(**json.loads(content))
    except (ValueError, TypeError) as error:
        where = "its key in Valkey" if place is None else place / FILE
        raise StateCorrupt(
            f"store: the note of its move can't be read ({where}); remove it if this store is "
            "whole and in use"
        ) from error


def write_move(address: str, store: Store, note: MoveNote) -> None:
    """Replaces the note of a store, durably; raises OSError or StoreUnavailable."""
    content = json.dumps(dataclasses.asdict(note)).encode()
    place = directory_of(address)
    if place is None:
        _noticing(store).keep_notice(content)
        return
    with whole_file(Path(place) / FILE, private=True) as file:
        file.write(content)


def refuse_moved(address: str, store: Store) -> None:
    """Refuses to work on a store that has left, or has not arrived.

    Raises:
        ConfigError: it says where the store is, or what is left to do.
    """
    note, here = read_move(address, store), shown(address)
    if note is not None and note.state == "left":
        raise ConfigError(
            f"store: {here} has moved to {note.other}, which takes events by now; name that one. "
            f"To move back: penchant migrate --from {note.other} --to {here}"
        )
    if note is not None and note.state == "arriving":
        raise ConfigError(
            f"store: {here} is an unfinished copy of {note.other}; stop that one's servers and "
            f"finish it: penchant migrate --from {note.other} --to {here} --finish"
        )


def _noticing(store: Store | None) -> KeepsNotice:
    return cast(KeepsNotice, store)
