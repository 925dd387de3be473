"""Records that several processes make are those of one, byte for byte, though one of them dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.refresh.record_workers import record_workers
from penchant.service import rebuilt_records
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.keys import Kind
from penchant.store.lmdb import LmdbStore
from penchant.store.memory import MemoryStore
from tests.support.dying_workers import NAME, make_share_or_die
from tests.support.histories import FILMS
from tests.support.world import World, copy_of, liked
from tests.unit.service.test_forget_user import rows_of


def test_any_number_of_workers_makes_the_same_records_though_one_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilt_records, "_SHARE_USERS", 10)
    world = World(tmp_path / "catalog", store=MemoryStore())
    world.put(**FILMS)
    films = sorted(FILMS)
    signals = ("like", "purchase", "dislike", "click")
    for number in range(120):
        user, signal = f"u{number % 40:02}", signals[number % 4]
        item, ago_s = films[number % 6], number * 50.0
        world.feed(liked(f"e{number}", item, user=user, signal=signal, ago_s=ago_s))
    fewer = {name: signal for name, signal in DEFAULT_SIGNALS.items() if name != "dislike"}
    alone, retired_alone = copy_of(world.store), RetiredSignals()
    assert rebuild_records(alone, fewer, 2, retired=retired_alone) == 40

    store = LmdbStore(tmp_path / "store", map_bytes=64 << 20)
    with world.store.snapshot() as snapshot, store.transaction() as transaction:
        for key, value in snapshot.scan(b""):
            transaction.put(key, value)
    retired = RetiredSignals()
    make = record_workers(f"lmdb:{tmp_path / 'store'}", fewer, 2, 2, make_share_or_die)
    assert rebuild_records(store, fewer, 2, retired=retired, make=make) == 40
    assert (tmp_path / "store" / NAME).exists()
    kinds = {Kind.USER, Kind.OWNED}
    ours, expected = (
        {key: value for key, value in rows_of(one).items() if key[0] in kinds}
        for one in (store, alone)
    )
    assert ours == expected
    assert retired.cases() == retired_alone.cases()
    assert sum(retired.events.values()) == 30
    store.close()
