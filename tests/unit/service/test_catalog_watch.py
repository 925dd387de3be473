"""The catalog's files, damaged while a server runs: noticed, and mended without a restart."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from penchant.catalog import item_biases
from penchant.catalog.damage_note import noted_damage
from penchant.domain.errors import StoreUnavailable
from penchant.domain.types import Item
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service import catalog_watch
from penchant.service.catalog_watch import CatalogWatch
from tests.support.catalogs import head, ranked
from tests.support.world import World, liked
from tests.unit.service.test_catalog_trouble import garble

PATIENCE_S = 60.0
KINDS = ("vectors", "texts", "offsets", "version", "neighbours")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A catalog with all kinds of files, and likes that move the offsets."""
    monkeypatch.setattr(item_biases, "WHOLE_EVERY_S", 0.0)
    made = World(tmp_path)
    made.put(**{f"i{n}": f"film {n} comedy" for n in range(40)})
    made.feed(*(liked(f"e{n}", f"i{n % 7}", user=f"u{n % 3}") for n in range(20)))
    refresh_store(made.store, made.directory, made.config, RefreshSettings())
    made.feed(liked("settled", "i3", user="v"))
    return made


@pytest.fixture
def watched(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """With a watch that reads all files every moment."""
    monkeypatch.setattr(catalog_watch, "LOOK_EVERY_S", 0.05)
    yield from _with_watch(world, reads_all=True)


@pytest.fixture
def woken(world: World) -> Iterator[World]:
    """With a watch that waits until a call finds a file truncated."""
    yield from _with_watch(world, reads_all=False)


def _with_watch(world: World, *, reads_all: bool) -> Iterator[World]:
    ranked(world)
    watch = CatalogWatch(
        world.store, world.catalogs, world.read_item_biases, world.meter, reads_all=reads_all
    )
    yield world
    watch.close()


def path_of(world: World, kind: str) -> Path:
    now = head(world)
    numbers = {"version": now.version, "neighbours": now.neighbours}
    (path,) = world.directory.glob(f"{kind}-{numbers.get(kind, now.generation)}.*")
    return path


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("kind", ["vectors", "texts", "offsets", "neighbours"])
def test_a_truncated_file_is_refused_before_it_is_read_and_mended_at_once(
    woken: World, kind: str
) -> None:
    before = ranked(woken, "stranger")
    os.truncate(path_of(woken, kind), 64)  # To read on would end this process by SIGBUS.
    with pytest.raises(StoreUnavailable, match="writes them again within seconds"):
        ranked(woken, "stranger")
    wait_until(lambda: kind in woken.meter.mends)
    after = ranked(woken, "stranger")
    assert sorted(id_ for id_, _ in after) == sorted(id_ for id_, _ in before)
    if kind != "neighbours":
        assert after == before
        assert not head(woken).lost
    assert woken.feed(liked("later", "i5", user="w"))[0].state_version == 1
    assert any(kind in noted.text for noted in noted_damage(woken.directory))


@pytest.mark.parametrize("damage", [garble, Path.unlink])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_found_by_reading_and_mended(
    watched: World, kind: str, damage: Callable[[Path], object]
) -> None:
    before = ranked(watched, "stranger")
    damage(path_of(watched, kind))
    wait_until(lambda: kind in watched.meter.mends)
    after = ranked(watched, "stranger")
    assert sorted(id_ for id_, _ in after) == sorted(id_ for id_, _ in before)
    if kind != "neighbours":  # A process has the version's parts in memory.
        assert after == before
        assert not head(watched).lost
    fresh = World(watched.directory, store=watched.store)
    assert ranked(fresh, "stranger") == after


def test_feedback_does_not_write_to_offsets_that_were_cut_off(woken: World) -> None:
    path = path_of(woken, "offsets")
    woken.feed(liked("a", "i1"))
    os.truncate(path, 0)
    with pytest.raises(StoreUnavailable):
        woken.feed(liked("b", "i1"))
    wait_until(lambda: "offsets" in woken.meter.mends)
    assert woken.feed(liked("b", "i1"))[0].state_version
    assert ranked(woken, "stranger") == ranked(
        World(woken.directory, store=woken.store), "stranger"
    )


def test_a_put_never_gives_damaged_rows_a_checksum(world: World) -> None:
    before = head(world)
    path = path_of(world, "vectors")
    content = np.fromfile(path, np.float32)
    content[3] += 1
    with path.open("r+b") as file:  # In place, as the process has it mapped.
        file.write(content.tobytes())
    with pytest.raises(StoreUnavailable, match="damaged"):
        world.catalog.put([Item("i1", "another text")])
    assert head(world) == before
    again = World(world.directory, store=world.store)
    assert again.put(i1="another text").changed == 1
