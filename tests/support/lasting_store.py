"""A store in memory that jobs can open again and again; LMDB opens a store once a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.launch import server_store
from penchant.store.memory import MemoryStore


class LastingStore(MemoryStore):
    """Keeps its content when a job closes it."""

    def close(self) -> None:
        pass


def opened_by_jobs(directory: Path, monkeypatch: pytest.MonkeyPatch) -> LastingStore:
    """A store that every job finds under the address `lmdb:DIRECTORY/store`."""
    store = LastingStore()
    (directory / "store").mkdir()
    (directory / "store" / "data.mdb").touch()
    monkeypatch.setattr(server_store, "open_store", lambda address, map_bytes: store)
    return store
