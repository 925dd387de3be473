"""The catalog's head, damaged or lost: made again from the rest of the store."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from penchant.domain.errors import StateCorrupt
from penchant.domain.rollout import Rollout
from penchant.domain.types import CatalogHead
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.mended_catalog import mend_head
from penchant.store.keys import Kind, encode
from penchant.store.rollouts import read_rollout, write_rollout
from tests.support.catalogs import head, ranked, second_reader
from tests.support.world import World, liked
from tests.unit.service.test_catalog_trouble import flip_first


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.put(**{f"i{n}": f"film {n} comedy" for n in range(30)})
    made.catalog.delete(["i7", "i8"])
    made.put(i8="film 8 is back")
    made.feed(*(liked(f"e{n}", f"i{n % 7}", user=f"u{n % 3}") for n in range(20)))
    refresh_store(made.store, made.directory, made.config, RefreshSettings())
    made.put(late="a late film")
    return made


def lose_head(world: World) -> None:
    with world.store.transaction() as transaction:
        transaction.delete(encode(Kind.HEAD))


@pytest.mark.parametrize("how", ["corrupt", "lost"])
def test_a_damaged_head_is_made_again_at_the_start_and_ranks_as_before(
    world: World, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    settled = World(world.directory, store=world.store)  # With the offsets as of a start.
    before, rankings = head(world), [ranked(settled, user) for user in ("u0", "stranger")]
    if how == "lost":
        lose_head(world)
    else:
        flip_first(world.store, Kind.HEAD)
    again = World(world.directory, store=world.store)
    assert "made again from 30 items" in caplog.text
    after = head(again)
    for name in ("rows", "alive", "log_length", "dimensions", "encoder_version", "neighbours"):
        assert getattr(after, name) == getattr(before, name)
    assert [ranked(again, user) for user in ("u0", "stranger")] == rankings
    assert not after.lost
    assert after.version > before.version, "no cached fold passes for one of the new version"
    again.put(new="a new film")
    again.catalog.delete(["i1"])
    assert len(second_reader(again).numbers) == 30
    caplog.clear()
    World(world.directory, store=world.store)
    assert not caplog.text


def test_a_head_is_made_again_without_any_of_its_files(world: World) -> None:
    before = ranked(world, "stranger")
    flip_first(world.store, Kind.HEAD)
    shutil.rmtree(world.directory)
    again = World(world.directory, store=world.store)
    assert {id_ for id_, _ in ranked(again, "stranger")} == {id_ for id_, _ in before}


def test_where_items_are_damaged_too_the_head_waits_for_a_command_that_is_named(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    flip_first(world.store, Kind.HEAD)
    flip_first(world.store, Kind.ITEM)
    with pytest.raises(StateCorrupt):  # The services of this test stop; a model goes on.
        World(world.directory, store=world.store)
    assert "`penchant rebuild records`" in caplog.text
    assert mend_head(world.store, world.directory, whole_only=False) == ["head"]
    again = World(world.directory, store=world.store)
    assert len(ranked(again, "stranger")) == 30


def test_a_rollout_that_cannot_be_read_is_ended_and_costs_no_ranking(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    tried = dataclasses.replace(head(world), release="r")
    with world.store.transaction() as transaction:
        write_rollout(transaction, Rollout("r", "canary", 0.5, tried, begun_us=0))
    flip_first(world.store, Kind.ROLLOUT)
    again = World(world.directory, store=world.store)
    assert ranked(again)
    assert "its rollout is ended" in caplog.text
    with world.store.snapshot() as snapshot:
        assert read_rollout(snapshot) is None


def test_an_empty_store_is_no_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert head(World(tmp_path)) == CatalogHead()
    assert not caplog.text
