"""New items are credited by the cold-start prior: once, at their first put after a refresh."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from penchant.domain.cold_start import prior_counters
from penchant.domain.types import Counters
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.store.counters import read_counters
from tests.support.catalogs import ranked
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import World, copy_of, liked

TEXTS = {f"i{number}": f"word{number} film" for number in range(6)}
NEW = 6
"""Number of the first item that is put after these."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.put(**TEXTS)
    for user in range(4):
        for number in range(5):
            event = liked(f"{user}-{number}", f"i{number}", user=f"u{user}", ago_s=100.0 - number)
            world.feed(event)
    return world


def refreshed(world: World) -> None:
    refresh_store(world.store, world.directory, world.config, RefreshSettings())


def counters(world: World, number: int) -> Counters:
    with world.store.snapshot() as snapshot:
        return read_counters(snapshot, number)


def test_a_new_items_counters_are_what_its_text_promises(world: World) -> None:
    refreshed(world)
    world.put(new="a new film")
    (expected,) = prior_counters(
        world.view().frozen.cold_start_prior, world.encoder.encode(["a new film"])
    )
    assert counters(world, NEW) == expected
    assert expected.positives > 0


def test_a_new_item_has_a_positive_offset_from_the_next_event_on(world: World) -> None:
    refreshed(world)
    world.put(new="a new film")
    world.feed(liked("next", "i0", user="u9"))
    assert world.view().offsets[NEW] > 0
    again = World(world.directory, store=world.store)
    again.feed(liked("later", "i1", user="u9"))
    assert again.view().offsets[NEW] > 0
    scores = dict(ranked(again, "u0"))
    assert scores["new"] > scores["i5"]  # Nobody ever liked i5, and it got no credit.


def test_the_next_event_shows_credits_however_soon_it_comes(world: World) -> None:
    refreshed(world)
    world.feed(liked("before", "i0", user="u9"))
    world.put(new="a new film", newer="a newer film")
    world.feed(liked("next", "i1", user="u9"))
    assert (world.view().offsets[NEW:] > 0).all()


def test_likes_count_on_top_of_the_credit(world: World) -> None:
    refreshed(world)
    world.put(new="a new film")
    credit = counters(world, NEW)
    world.feed(liked("first", "new", user="u9"))
    after = counters(world, NEW)
    assert after.positives == pytest.approx(credit.positives + 1.0, rel=1e-3)


def test_before_any_refresh_there_is_no_credit(world: World) -> None:
    world.put(new="a new film")
    assert counters(world, NEW) == Counters()
    world.feed(liked("next", "i0", user="u9"))
    refreshed(world)
    world.put(new="another text")
    assert counters(world, NEW) == Counters()


def test_a_refresh_gives_known_items_nothing(world: World) -> None:
    before = [counters(world, number) for number in range(NEW)]
    refreshed(world)
    assert [counters(world, number) for number in range(NEW)] == before


def test_no_put_gives_a_second_credit(world: World) -> None:
    refreshed(world)
    world.put(new="a new film")
    world.feed(liked("first", "new", user="u9"))
    held = counters(world, NEW)
    world.put(new="a new film")
    assert counters(world, NEW) == held
    world.put(new="another text")
    assert counters(world, NEW) == held
    world.catalog.delete(["new"])
    assert counters(world, NEW) == held
    world.put(new="a new film")
    assert counters(world, NEW) == held


def test_an_item_that_was_deleted_unliked_comes_back_without_credit(world: World) -> None:
    world.catalog.delete(["i5"])
    refreshed(world)
    world.put(i5="a new film")
    assert counters(world, 5) == Counters()


@pytest.mark.parametrize("dimensions", [64, 32])
def test_another_encoders_items_get_no_credit(world: World, dimensions: int) -> None:
    """What was learnt of the old encoder's vectors says nothing of the new one's."""
    refreshed(world)
    other = WatchedEncoder("e1e1e1e1e1e1e1e1", dimensions)
    again = World(world.directory, store=world.store, encoder=other)
    again.put(new="a new film")
    assert counters(again, NEW) == Counters()
    again.put(newer="a newer film")
    assert counters(again, NEW + 1) == Counters()


def test_a_lost_directory_gives_no_credit_until_the_next_refresh(world: World) -> None:
    refreshed(world)
    shutil.rmtree(world.directory)
    again = World(world.directory, store=copy_of(world.store))
    again.put(new="a new film")
    assert counters(again, NEW) == Counters()
    again.feed(liked("next", "new", user="u9"))
    refreshed(again)
    again.put(newer="a newer film")
    assert counters(again, NEW + 1).positives > 0


def test_nothing_liked_gives_no_credit(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(**TEXTS)
    world.feed(liked("bad", "i0", signal="dislike"))
    refreshed(world)
    world.put(new="a new film")
    assert counters(world, NEW) == Counters()
