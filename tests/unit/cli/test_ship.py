"""`penchant ship` as it is typed: what it says, what it refuses, and that it goes on by itself."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from penchant.shipping.ship import ShippingUnderWay, ShipRequest, ship, ship_turn
from penchant.shipping.ship_clock import ShipClock
from penchant.store.codec import seal
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from penchant.store.memory import MemoryStore
from penchant.store.ship_notes import read_shipping
from tests.support.command import run
from tests.support.shipped_world import (
    in_a_file,
    rows_in,
    ship_once,
    shipped_rows,
    short_history,
    world_in,
)
from tests.support.world import World, liked


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = world_in(tmp_path, MemoryStore())
    short_history(made)
    in_a_file(made.store, tmp_path)
    return made


def address_of(directory: Path) -> str:
    return f"lmdb:{directory / 'store'}"


def test_a_run_says_what_it_did_and_the_store_remembers_the_place(
    world: World, tmp_path: Path
) -> None:
    address, log = address_of(tmp_path), tmp_path / "log"
    refused = run(["ship", "--store", address])
    assert refused.exit_code == 1
    assert "name a place" in refused.output
    done = run(["ship", "--store", address, "--to", log])
    assert done.exit_code == 0, done.output
    assert f"Shipped 11 events in 2 files to {log}: commit 1." in done.output
    again = run(["ship", "--store", address, "--compact", "--trim-older", "36500d"])
    assert "Shipped 0 events in 0 files" in again.output
    assert "Rewrote 2 files" in again.output
    assert "Deleted 0 events of 0 users from the store." in again.output
    assert run(["ship", "--store", address, "--end", "--compact"]).exit_code == 1
    assert f"ships no more to {log}" in run(["ship", "--store", address, "--end"]).output
    assert run(["ship", "--store", address]).exit_code == 1


def test_one_process_at_a_time_ships_a_log(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penchant.shipping.ship.ship_turn.__wrapped__.__defaults__", (0.0,))
    address = address_of(tmp_path)
    with ship_turn(address, world.store), pytest.raises(ShippingUnderWay, match="process"):
        ship(ShipRequest(store=address, to=str(tmp_path / "log")))


def test_a_clock_goes_on_after_trouble(world: World, tmp_path: Path) -> None:
    clock = ShipClock(ShipRequest(store=address_of(tmp_path), to=str(tmp_path / "log")), 60.0)
    (tmp_path / "log").write_text("in the way", encoding="utf-8")
    failed = clock.look()
    assert failed.result is None
    assert failed.wait_s < 60
    assert "Shipping failed" in failed.trouble
    (tmp_path / "log").unlink()
    look = clock.look()
    assert look.result is not None
    assert look.changed
    assert look.wait_s == 60
    assert not clock.look().changed
    assert shipped_rows(tmp_path / "log") == rows_in(world.store)


def test_places_of_fsspec_hold_a_log_as_a_folder_does(world: World, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    url = f"memory://{tmp_path.name}"
    ship_once(tmp_path, world.store, to=url)
    world.feed(liked("n1", "heat", user="a"))
    world.users.forget("b")
    result = ship_once(tmp_path, world.store, to=url, compact=True)
    assert result.rewritten is not None
    assert result.rewritten.erased == 1
    assert shipped_rows(url) == rows_in(world.store)
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}", recursive=True)
    shutil.rmtree(tmp_path)


def test_a_damaged_state_says_how_to_end_the_shipping_and_is_ended(tmp_path: Path) -> None:
    with closing(LmdbStore(tmp_path / "store")) as store, store.transaction() as transaction:
        transaction.put(encode(Kind.SHIPPING), seal(b"{nonsense"))
    options = ["--store", f"lmdb:{tmp_path / 'store'}"]
    ran = run(["ship", *options, "--to", tmp_path / "files"])
    assert ran.exit_code == 1
    assert "`penchant ship --end`" in ran.stderr
    assert run(["ship", *options, "--end"]).exit_code == 0
    assert run(["ship", *options, "--to", tmp_path / "files"]).exit_code == 0


@pytest.mark.parametrize("to", ["s3:/bucket/log", "lmdb:/srv/log", "a file", "a link to nothing"])
def test_a_place_that_is_none_is_refused_before_the_store_takes_a_note(
    monkeypatch: pytest.MonkeyPatch, world: World, tmp_path: Path, to: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a file").write_text("a file")
    (tmp_path / "a link to nothing").symlink_to("nothing")
    before = sorted(path.name for path in tmp_path.iterdir())
    ran = run(["ship", "--store", f"lmdb:{tmp_path / 'store'}", "--to", to], columns=400)
    said = "expected an address with ://" if ":" in to else "is no directory; name another"
    assert (ran.exit_code, said in ran.stderr) == (1, True), ran.output
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    with closing(LmdbStore(tmp_path / "store", map_bytes=0)) as store, store.snapshot() as snapshot:
        assert read_shipping(snapshot) is None
