"""The settings that a store's server was given, kept beside what they shape."""

from __future__ import annotations

from collections.abc import Mapping

from penchant.domain.errors import StateCorrupt
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_settings(snapshot: Snapshot) -> dict[str, str] | None:
    """Texts of the settings by name; None for a store that no server has opened yet.

    Raises:
        StateCorrupt: they can't be read; the text says what to do.
    """
    value = snapshot.get(encode(Kind.SETTINGS))
    try:
        return None if value is None else codec.decode_settings(value)
    except StateCorrupt as error:
        raise StateCorrupt(
            f"{error}; the settings that the store kept are lost: start the server with those that "
            "it should keep, and it keeps them anew"
        ) from error


def write_settings(transaction: Transaction, settings: Mapping[str, str]) -> None:
    """Replaces the settings."""
    transaction.put(encode(Kind.SETTINGS), codec.encode_settings(settings))
