"""The catalogue that Penchant carries: small, whole, and as an import takes it."""

from __future__ import annotations

from pathlib import Path

from penchant.domain.types import Item
from penchant.logs.datasets.debian_snapshot import SNAPSHOT, read_items, write_items


def test_the_snapshot_is_small_and_holds_the_games_that_the_docs_name() -> None:
    assert SNAPSHOT.stat().st_size < 400_000
    items = read_items()
    assert len(items) == 530
    assert len({item.id for item in items}) == 530
    assert all(set(item.attributes) == {"name", "games.game"} for item in items)


def test_what_is_written_is_read_back_and_writes_the_same_bytes(tmp_path: Path) -> None:
    items = [Item("a", "a game", {"name": "A"}), Item("b", "b\n\nanother", {"games.game": "{}"})]
    write_items(items, tmp_path / "one.parquet")
    write_items(items, tmp_path / "two.parquet")
    assert read_items(tmp_path / "one.parquet") == items
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
