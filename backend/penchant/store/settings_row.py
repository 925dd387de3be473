"""The settings that a store's server was given, kept beside what they shape."""

from __future__ import annotations

from collections.abc import Mapping

from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_settings(snapshot: Snapshot) -> dict[str, str] | None:
    """Texts of the settings by name; None for a store that no server has opened yet."""
    value = snapshot.get(encode(Kind.SETTINGS))
    return None if value is None else codec.decode_settings(value)


def write_settings(transaction: Transaction, settings: Mapping[str, str]) -> None:
    """Replaces the settings."""
    transaction.put(encode(Kind.SETTINGS), codec.encode_settings(settings))
