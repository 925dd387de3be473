"""Checks whether a store is moving, has moved, or is half renamed: what keeps servers from it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from penchant.domain.errors import PenchantError
from penchant.launch.check import Check
from penchant.launch.model_parameters import DEFAULT_STORE, is_store
from penchant.store.address import directory_of, is_network, shown
from penchant.store.base import Store
from penchant.store.move_note import MOVING, MoveNote, read_move
from penchant.store.name_keys import read_name_keys
from penchant.store.network_store import in_network
from penchant.store.open import open_store


def check_move(address: str | None) -> Iterator[Check]:
    """Says from where or to where a store moves, and who has it for itself; else nothing.

    Args:
        address: of the store; None: the default one, if it exists.
    """
    whole = address or DEFAULT_STORE
    try:
        if not is_network(whole) and not is_store(directory_of(whole)):
            return
        with contextlib.closing(open_store(whole, map_bytes=0)) as store:
            yield from _checks(whole, store)
    except PenchantError as error:
        yield Check("move", "fail", str(error), "see found")


def _checks(address: str, store: Store) -> Iterator[Check]:
    note = read_move(address, store)
    if note is not None:
        yield _of_note(shown(address), note)
    holder = in_network(store).lease(MOVING).holder() if is_network(address) else ""
    if holder:
        found = f"{holder} has the store for itself"
        yield Check("store's turn", "warn", found, "no server starts until that has ended")
    with store.snapshot() as snapshot:
        keys = read_name_keys(snapshot)
    if keys is not None and keys.under_way:
        found = f"a change to key {len(keys.applied) + 1} is under way: no server starts"
        yield Check("pseudonyms", "fail", found, "run penchant pseudonyms rotate, which goes on")


def _of_note(here: str, note: MoveNote) -> Check:
    if note.state == "copied":
        found = f"this store is in use, and is being moved to {note.other}"
        advice = (
            "stop its servers and hand over: "
            f"penchant migrate --from {here} --to {note.other} --finish"
        )
        return Check("move", "warn", found, advice)
    if note.state == "arriving":
        found = f"an unfinished copy of {note.other}: no server starts on it"
        advice = (
            "stop that one's servers and hand over: "
            f"penchant migrate --from {note.other} --to {here} --finish"
        )
        return Check("move", "fail", found, advice)
    if note.state == "left":
        found = f"moved to {note.other}, which takes events by now: no server starts on this one"
        return Check("move", "fail", found, "name that store")
    return Check("move", "ok", f"came from {note.other}")
