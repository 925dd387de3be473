"""Which keys made the names of users in a store, by the keys' fingerprints."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, sound, unseal
from penchant.store.keys import Kind, encode

_KEY = encode(Kind.PSEUDONYMS)


@dataclass(frozen=True, slots=True)
class NameKeys:
    """The chain of keys; see `penchant.domain.pseudonyms`."""

    applied: tuple[str, ...] = ()
    """Fingerprints of the keys that every name has been through, oldest first."""
    under_way: str = ""
    """Fingerprint of the next key, while some names have been through it and others have not."""


def read_name_keys(snapshot: Snapshot) -> NameKeys | None:
    """The chain; None for a store that has only ever held plain ids.

    Raises:
        StateCorrupt, StateTooNew: it can't be read.
    """
    value = snapshot.get(_KEY)
    return None if value is None else _decoded(value)


def write_name_keys(transaction: Transaction, keys: NameKeys) -> None:
    """Replaces the chain."""
    transaction.put(_KEY, seal(json.dumps(dataclasses.asdict(keys)).encode()))


@sound("keys of pseudonyms")
def _decoded(value: bytes) -> NameKeys:
    fields = json.loads(str(unseal(value, "keys of pseudonyms"), "utf-8"))
    return NameKeys(tuple(fields["applied"]), fields["under_way"])
