"""Catalog: the effects of puts, deletions and growth on readers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.catalog import files
from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.types import Item
from penchant.service.catalog import GetRequest
from penchant.service.rank import RankRequest
from penchant.service.user_interest import read_catalog
from penchant.store.items import read_changes, read_head
from tests.support.catalogs import assert_same_catalog, head, ranked, second_reader
from tests.support.world import World, liked


def test_a_repeated_put_changes_and_encodes_nothing(world: World) -> None:
    before, encoded = head(world), list(world.encoder.encoded)
    items = world.catalog.get(GetRequest(["toy", "heat"])).items
    result = world.catalog.put(items)
    assert (result.changed, result.unchanged, result.encoded) == (0, 2, 0)
    assert head(world) == result.head == before
    assert world.encoder.encoded == encoded


def test_only_changed_texts_are_encoded(world: World) -> None:
    world.encoder.encoded.clear()
    result = world.put(toy="toy story animation comedy", alien="aliens", new="something new")
    assert (result.changed, result.unchanged, result.encoded) == (2, 1, 2)
    assert sorted(world.encoder.encoded) == ["aliens", "something new"]


def test_a_text_that_this_encoder_met_before_is_not_encoded_again(world: World) -> None:
    world.put(toy="another text")
    world.encoder.encoded.clear()
    result = world.put(toy="toy story animation comedy", twin="heat crime drama")
    assert (result.changed, result.encoded) == (2, 0)
    assert world.encoder.encoded == []


def test_changed_attributes_are_kept_without_encoding_or_a_new_version(world: World) -> None:
    world.encoder.encoded.clear()
    before = head(world)
    item = Item("toy", "toy story animation comedy", {"year": "1995"})
    result = world.catalog.put([item])
    assert (result.changed, result.encoded, head(world).version) == (1, 0, before.version)
    assert world.catalog.get(GetRequest(["toy"])).items == [item]


def test_additions_keep_the_version_until_the_catalog_grew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(**{f"i{number}": f"film {number}" for number in range(100)})
    version, generation = head(world).version, head(world).generation
    for number in range(10):
        world.put(**{f"more{number}": f"more {number}"})
        assert head(world).version == version
    world.put(one="one more")
    assert head(world).version == version + 1
    assert head(world).generation == generation


@pytest.mark.parametrize("change", ["text", "deletion", "return"])
def test_whatever_touches_a_row_that_is_read_makes_a_new_version(change: str, world: World) -> None:
    if change == "return":
        world.catalog.delete(["toy"])
    before, old = head(world), world.view()
    old_vectors = old.vectors.copy()
    if change == "text":
        world.put(toy="quite another story")
    elif change == "deletion":
        world.catalog.delete(["toy"])
    else:
        world.put(toy="quite another story")
    assert head(world).version == before.version + 1
    assert head(world).generation == before.generation + 1
    np.testing.assert_array_equal(old.vectors, old_vectors)


def test_a_second_reader_sees_a_put_and_a_deletion_at_once(world: World) -> None:
    other = CatalogReader(world.directory, world.config.fold)

    def seen() -> CatalogView:
        with world.store.snapshot() as snapshot:
            return read_catalog(snapshot, other)

    assert_same_catalog(seen(), world.view())
    world.put(new="a new film")
    assert seen().number("new") == 6
    assert_same_catalog(seen(), second_reader(world))
    world.catalog.delete(["toy"])
    assert seen().number("toy") is None
    assert_same_catalog(seen(), second_reader(world))


def test_a_reader_that_is_asked_for_an_older_head_keeps_what_it_has(world: World) -> None:
    with world.store.snapshot() as old:
        old_head = read_head(old)
        world.put(new="a new film")
        newest = world.view()
        view = world.reader.view(old_head, lambda start: read_changes(old, start))
    assert view.head == newest.head
    assert world.view().number("new") == 6


def test_the_matrix_grows_past_its_capacity(tmp_path: Path) -> None:
    world = World(tmp_path)
    for start in range(0, files.MIN_CAPACITY + 200, 400):
        texts = {f"i{number}": f"film {number}" for number in range(start, start + 400)}
        world.catalog.put([Item(id_, text) for id_, text in texts.items()])
    assert head(world).alive == head(world).rows == 1600
    last = world.encoder.encode(["film 1599"])[0]
    np.testing.assert_array_equal(world.view().vectors[1599], last)
    assert_same_catalog(world.view(), second_reader(world))


def test_deleted_items_are_never_ranked(world: World) -> None:
    world.feed(liked("e1", "toy"))
    result = world.catalog.delete(["toy", "bug", "nope"])
    assert (result.deleted, result.unknown, result.head.alive) == (2, ["nope"], 4)
    assert {id_ for id_, _ in ranked(world)} == {"alien", "gravity", "heat", "babe"}
    ranking = world.rank(RankRequest("u", 10, candidates=("toy", "heat")))
    assert (ranking.ids, ranking.unknown_candidates) == (["heat"], ["toy"])
    assert world.catalog.get(GetRequest(["toy", "heat"])).unknown == ["toy"]
    again = world.catalog.delete(["toy"])
    assert (again.deleted, again.unknown, again.head) == (0, ["toy"], result.head)


def test_an_item_that_is_put_again_gets_its_number_and_its_events_back(world: World) -> None:
    world.feed(liked("e1", "toy"))
    before = ranked(world)
    number = world.view().number("toy")
    world.catalog.delete(["toy"])
    world.put(toy="toy story animation comedy")
    assert world.view().number("toy") == number
    assert [id_ for id_, _ in ranked(world)] == [id_ for id_, _ in before]
    assert [score for _, score in ranked(world)] == pytest.approx([score for _, score in before])


def test_a_catalog_may_be_emptied_and_filled_again(world: World) -> None:
    world.catalog.delete(["toy", "bug", "alien", "gravity", "heat", "babe"])
    assert ranked(world) == []
    world.put(heat="heat crime drama")
    assert [id_ for id_, _ in ranked(world)] == ["heat"]


STEPS = st.lists(
    st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("stuvw"), max_size=5),
    max_size=6,
)
"""Each step: what becomes of some items; None deletes."""


@settings(max_examples=30)
@given(steps=STEPS)
def test_a_catalog_is_a_dictionary_of_texts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, str | None]]
) -> None:
    world = World(tmp_path_factory.mktemp("catalog"))
    model: dict[str, str] = {}
    for step in steps:
        puts = {id_: text for id_, text in step.items() if text is not None}
        deletions = [id_ for id_, text in step.items() if text is None]
        changed = sum(model.get(id_) != text for id_, text in puts.items())
        assert world.put(**puts).changed == changed
        gone = world.catalog.delete(deletions)
        assert gone.unknown == sorted(id_ for id_ in deletions if id_ not in model)
        model = {id_: text for id_, text in (model | puts).items() if id_ not in deletions}
    view = world.view()
    assert view.head.alive == len(model) == int(view.alive.sum())
    assert set(view.numbers) == set(model)
    for id_, text in model.items():
        np.testing.assert_array_equal(
            view.vectors[view.numbers[id_]], world.encoder.encode([text])[0]
        )
    if view.head.rows:
        assert_same_catalog(second_reader(world), view)
    assert {id_ for id_, _ in ranked(world)} == set(model)


def test_the_prior_is_made_of_the_items_that_can_be_ranked(world: World) -> None:
    world.catalog.delete(["toy"])
    view, fold = second_reader(world), world.config.fold
    ranked_vectors = view.vectors[view.alive].astype(np.float64)
    gram = ranked_vectors.T @ ranked_vectors / 5
    expected = fold.catalog_weight * gram + fold.ridge * np.eye(64)
    np.testing.assert_allclose(view.prior.precision, expected, atol=1e-4)
    np.testing.assert_array_equal(view.prior.mean, np.zeros(64))


def test_threads_that_share_a_reader_follow_a_moving_catalog(world: World) -> None:
    moving = threading.Event()

    def rank_on() -> int:
        rankings = 0
        while not moving.is_set() or rankings == 0:
            ranking = world.rank(RankRequest("u", 1000, exclude_seen=True))
            assert set(ranking.ids) >= {"heat", "babe"}
            rankings += 1
        return rankings

    with ThreadPoolExecutor(3) as threads:
        ranking_threads = [threads.submit(rank_on) for _ in range(3)]
        for number in range(30):
            world.put(**{f"new{number}": f"a new film {number}", "toy": f"toy {number}"})
            world.catalog.delete([f"new{number - 1}"])
        moving.set()
        assert all(thread.result() > 0 for thread in ranking_threads)


def test_numbers_are_given_once(world: World) -> None:
    world.catalog.delete(["toy"])
    world.put(new="a new film")
    assert world.view().number("new") == 6
    assert head(world).rows == 7
