"""The bulk of jobs gives the same bytes whoever does it, though processes die on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.refresh.store_for_workers import check_store_for
from penchant.system.workers import ALONE, Workers
from tests.support.dying_workers import make_share_or_die
from tests.support.shared_work import JOBS, done_by, dying, smaller_shares, store_to_share


def test_any_number_of_processes_gives_the_bytes_of_one_though_some_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_to_share(tmp_path)
    smaller_shares(monkeypatch)
    expected = done_by(ALONE, tmp_path)
    users, retired, _ = expected["records"]
    assert (users, sum(count for *_, count in retired)) == (40, 30)
    dying(monkeypatch, tmp_path)
    found = done_by(Workers(2), tmp_path, make_share_or_die)
    assert [job for job in JOBS if not (tmp_path / job).exists()] == []  # Each has died once.
    for job in JOBS:
        assert found[job] == expected[job], job


def test_nodes_that_cannot_open_a_store_are_refused_before_the_work() -> None:
    sealed = "valkey://shop@cache/shop?password_env=PENCHANT_STORE_PASSWORD_1"
    with pytest.raises(ConfigError, match="password_file=/path"):
        check_store_for(sealed, Workers(ray="head:6379"))
    check_store_for("valkey://shop@cache/shop?password_file=/run/pw", Workers(ray="head:6379"))
    check_store_for("lmdb:/data/store", Workers(4))
