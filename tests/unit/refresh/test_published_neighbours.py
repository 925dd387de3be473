"""Neighbours from a refresh to the score: explained in full, and found again after a loss."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.neighbours import Neighbours
from penchant.domain.types import Event
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_input import read_refresh_input
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.explain import Explanation
from penchant.service.rank import RankRequest
from tests.support.catalogs import head, second_reader
from tests.support.world import World, copy_of, liked

ITEMS = 12
TEXTS = {f"i{number}": f"word{number} film" for number in range(ITEMS)}


def histories() -> list[Event]:
    """Six users: even ones like 2, 4, 6, ..., odd ones 3, 5, 7, ...; each leaves out one item."""
    return [
        liked(f"{user}-{number}", f"i{number}", user=f"u{user}", ago_s=9000.0 - number)
        for user in range(6)
        for number in range(2 + user % 2, ITEMS, 2)
        if number // 2 != 1 + user // 2
    ]


def filled(world: World) -> World:
    world.put(**TEXTS)
    world.feed(*histories())
    return world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return filled(World(tmp_path))


def refreshed(world: World) -> None:
    refresh_store(world.store, world.directory, world.config, RefreshSettings())


def explained(
    world: World, user: str, candidates: tuple[str, ...] | None = None
) -> dict[str, Explanation]:
    """The explanations of all items, each checked against its score."""
    ranking = world.rank(RankRequest(user, ITEMS, candidates=candidates, explain=True))
    assert ranking.explanations is not None
    for score, parts in zip(ranking.scores, ranking.explanations, strict=True):
        total = parts.offset + parts.slow + parts.fast + parts.near + parts.repeat + parts.query
        assert total == pytest.approx(score, abs=1e-4)
    return dict(zip(ranking.ids, ranking.explanations, strict=True))


def strengths(neighbours: Neighbours) -> dict[tuple[int, int], float]:
    """Strengths by an item's number (the opening's is -1) and a neighbour's number."""
    return {
        (row - 1, item): strength
        for row, of_row in enumerate(neighbours)
        for item, strength in of_row.tolist()
        if strength
    }


@pytest.mark.parametrize("user", ["u0", "stranger"])
def test_the_parts_sum_to_the_score_and_neighbours_are_one_of_them(world: World, user: str) -> None:
    assert {parts.near for parts in explained(world, user).values()} == {0.0}
    refreshed(world)
    assert any(parts.near for parts in explained(world, user).values())
    candidates = explained(world, user, ("i5", "i2", "i9"))
    everything = explained(world, user)
    for id_, parts in candidates.items():
        assert parts.near == pytest.approx(everything[id_].near, abs=1e-6)


def test_the_shares_of_a_few_events_sum_to_the_personal_parts(world: World) -> None:
    """The rest is the opening's part, and the prior's mean, which is 0 after a refresh."""
    refreshed(world)
    world.feed(*(liked(f"new{number}", f"i{number}", user="new") for number in (2, 4, 7)))
    world.feed(liked("disliked", "i5", user="new", signal="dislike"))
    state = world.state("new")
    assert state is not None
    assert state.interest is not None
    opening = strengths(world.view().neighbours)
    weight = float(state.interest.recent["weight"][-1]) * world.config.fold.near_weight
    named = False
    for id_, parts in explained(world, "new").items():
        shares = sum(contribution.share for contribution in parts.contributions)
        begun = weight * opening.get((-1, int(id_[1:])), 0.0)
        assert shares == pytest.approx(parts.slow + parts.fast + parts.near - begun, abs=1e-4)
        named = named or begun > 0
    assert named


def test_without_weight_neighbours_add_nothing(tmp_path: Path) -> None:
    plain = filled(World(tmp_path))
    refreshed(plain)
    settings = dataclasses.replace(plain.config.fold, near_weight=0.0)
    without = World(tmp_path, store=plain.store, fold=settings)
    for user in ("u0", "stranger"):
        with_them, alone = explained(plain, user), explained(without, user)
        assert {parts.near for parts in alone.values()} == {0.0}
        for id_, parts in alone.items():
            other = with_them[id_]
            assert (parts.offset, parts.slow) == pytest.approx((other.offset, other.slow), abs=1e-5)
            assert parts.fast == pytest.approx(other.fast, abs=1e-5)


def test_neighbours_are_by_item_number_where_numbers_and_rows_differ(tmp_path: Path) -> None:
    """Deleted items between the others leave fewer rows, and the same pairs."""
    dense = filled(World(tmp_path / "dense"))
    refreshed(dense)
    sparse = World(tmp_path / "sparse")
    for id_, text in TEXTS.items():
        sparse.put(**{f"gone-{id_}": f"gone {id_}", id_: text})
    sparse.catalog.delete([f"gone-{id_}" for id_ in TEXTS])
    sparse.feed(*histories())
    refreshed(sparse)
    expected = {
        (-1 if one < 0 else 2 * one + 1, 2 * other + 1): strength
        for (one, other), strength in strengths(dense.view().neighbours).items()
    }
    assert expected
    assert strengths(sparse.view().neighbours) == expected
    for id_, parts in explained(sparse, "u0").items():
        assert parts.near == pytest.approx(explained(dense, "u0")[id_].near, abs=1e-6)


def test_deleted_items_have_no_neighbours_after_a_refresh(world: World) -> None:
    world.catalog.delete(["i4"])
    refreshed(world)
    assert not {pair for pair in strengths(world.view().neighbours) if 4 in pair}


def test_another_process_reads_the_same_neighbours(world: World) -> None:
    refreshed(world)
    found = second_reader(world).neighbours
    assert found.shape[0] == 1 + ITEMS
    np.testing.assert_array_equal(found, world.view().neighbours)


def test_what_is_put_and_deleted_later_leaves_the_neighbours(world: World) -> None:
    refreshed(world)
    before = world.view().neighbours.copy()
    world.put(later="later", i3="another text")
    world.catalog.delete(["i2"])
    np.testing.assert_array_equal(world.view().neighbours, before)
    explained(world, "u0")
    world.feed(liked("later", "later", user="u0"))
    assert explained(world, "u0")["later"].near == 0.0


def test_a_lost_directory_has_no_neighbours_until_the_next_refresh(world: World) -> None:
    refreshed(world)
    held, number = world.view().neighbours.copy(), head(world).neighbours
    shutil.rmtree(world.directory)
    again = World(world.directory, store=copy_of(world.store))
    assert len(again.view().neighbours) == 0
    assert head(again).neighbours > number
    assert {parts.near for parts in explained(again, "u0").values()} == {0.0}
    refreshed(again)
    np.testing.assert_array_equal(again.view().neighbours, held)
    assert any(parts.near for parts in explained(again, "u0").values())


def test_a_lost_neighbours_file_is_noticed(world: World) -> None:
    refreshed(world)
    (world.directory / f"neighbours-{head(world).neighbours}.npy").unlink()
    again = World(world.directory, store=world.store)
    assert len(again.view().neighbours) == 0
    explained(again, "u0")


def test_late_and_repeated_events_leave_the_same_cache(world: World) -> None:
    refreshed(world)
    events = [liked(f"n{number}", f"i{number}", user="n", ago_s=number) for number in (2, 3, 7)]
    late = [dataclasses.replace(event, user="late") for event in events]
    world.feed(*events)
    for event in [late[0], late[2], late[0], late[1], late[2]]:
        world.feed(event)
    one, two = world.state("n"), world.state("late")
    assert one is not None
    assert one.interest is not None
    assert two is not None
    assert two.interest is not None
    assert one.interest.recent.tobytes() == two.interest.recent.tobytes()


def test_material_has_a_row_for_each_item_that_can_be_ranked(world: World) -> None:
    world.catalog.delete(["i0", "i7"])
    with world.store.snapshot() as snapshot:
        source = read_refresh_input(snapshot, world.config)
    assert sorted(source.numbers) == [number for number in range(ITEMS) if number not in (0, 7)]
    assert list(source.numbers.values()) == list(range(ITEMS - 2))
