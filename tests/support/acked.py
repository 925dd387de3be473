"""The state of a store after a crash: every acked event once, and records that match."""

from __future__ import annotations

from collections import Counter

import pytest

from penchant.config import Config
from penchant.domain.types import LogRow
from penchant.service.rebuilt_records import rebuild_user
from penchant.store.base import Snapshot
from penchant.store.codec import encode_record
from penchant.store.counters import scan_counters
from penchant.store.items import read_item
from penchant.store.users import read_log, read_user, scan_user_ids


def assert_all_is_there_once(snapshot: Snapshot, acked: set[str], config: Config) -> None:
    """Expects likes within a short time span, and no event id shared by two users."""
    logs = {user: read_log(snapshot, user) for user in scan_user_ids(snapshot)}
    rows = [row for log in logs.values() for row in log]
    logged = [row.event.event_id for row in rows]
    assert acked <= set(logged)
    assert len(logged) == len(set(logged))
    for user, log in logs.items():
        state = read_user(snapshot, user)
        assert state is not None
        assert state.record.state_version == len(log)
        assert [row.state_version for row in log] == list(range(1, len(log) + 1))
        rebuilt = rebuild_user(snapshot, log, config.signals, config.fold.window_events).record
        assert encode_record(rebuilt) == encode_record(state.record)
    _assert_counted_once(snapshot, rows)


def _assert_counted_once(snapshot: Snapshot, rows: list[LogRow]) -> None:
    """The items' counters hold each user who likes them once."""
    pairs = {(row.event.user, row.event.item) for row in rows}
    likes: Counter[int] = Counter()
    for _, item in pairs:
        stored = read_item(snapshot, item)
        assert stored is not None
        likes[stored.number] += 1
    counted = dict(scan_counters(snapshot))
    assert set(counted) == set(likes)
    for number, counters in counted.items():
        assert counters.positives == pytest.approx(likes[number], rel=1e-3)
