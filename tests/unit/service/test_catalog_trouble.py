"""Catalog: lost files, failing encoders, and another encoder."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from penchant.catalog import item_biases
from penchant.domain.errors import EncoderUnavailable, StateCorrupt, StoreUnavailable
from penchant.service.catalog import GetRequest
from penchant.service.rank import RankRequest
from penchant.store.keys import Kind, encode
from tests.support.catalogs import assert_same_catalog, head, ranked, second_reader
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import World, liked


def test_a_lost_directory_is_built_again_with_the_same_rankings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_biases, "WHOLE_EVERY_S", 0.0)
    world.catalog.delete(["babe"])
    world.feed(liked("e1", "toy"), liked("e2", "alien", signal="dislike"), liked("e3", "heat"))
    before = ranked(world)
    shutil.rmtree(world.directory)
    rebuilt = World(world.directory, store=world.store)
    assert ranked(rebuilt) == before
    assert rebuilt.encoder.encoded == []


def test_a_directory_lost_under_a_reader_is_store_unavailable(world: World) -> None:
    shutil.rmtree(world.directory)
    with pytest.raises(StoreUnavailable, match="restart the model penchant_catalog"):
        second_reader(world)


def test_a_lost_directory_without_the_texts_vectors_is_corrupt(world: World) -> None:
    with world.store.transaction() as transaction:
        for key, _ in list(transaction.scan(encode(Kind.TEXT_VECTOR))):
            transaction.delete(key)
    shutil.rmtree(world.directory)
    with pytest.raises(StateCorrupt, match="no vector of encoder"):
        World(world.directory, store=world.store)


@pytest.mark.parametrize("dimensions", [64, 8])
def test_another_encoder_encodes_everything_anew(world: World, dimensions: int) -> None:
    world.catalog.delete(["babe"])
    world.feed(liked("e1", "toy"))
    encoder = WatchedEncoder("c0c0c0c0c0c0c0c0", dimensions)
    changed = World(world.directory, store=world.store, encoder=encoder)
    result = changed.put(heat="heat crime drama")
    assert (result.changed, result.unchanged, result.encoded) == (0, 1, 5)
    assert head(changed).encoder_version == encoder.version
    view = second_reader(changed)
    texts = {item.id: item.text for item in changed.catalog.get(GetRequest(view.ids)).items}
    assert sorted(texts) == ["alien", "bug", "gravity", "heat", "toy"]
    for id_, text in texts.items():
        np.testing.assert_array_equal(view.vectors[view.numbers[id_]], encoder.encode([text])[0])
    assert changed.rank(RankRequest("u", 3)).encoder_version == encoder.version


def test_a_query_is_not_compared_with_another_encoders_vectors(world: World) -> None:
    changed = World(world.directory, store=world.store, encoder=WatchedEncoder("c0c0c0c0c0c0c0c0"))
    with pytest.raises(EncoderUnavailable, match="put the items again"):
        changed.rank(RankRequest("u", 3, query="comedy"))
    assert len(changed.rank(RankRequest("u", 3)).ids) == 3


def test_a_failing_encoder_changes_nothing(world: World) -> None:
    before, view = head(world), world.view()
    world.encoder.break_down()
    with pytest.raises(EncoderUnavailable):
        world.put(toy="toy story animation comedy", new="a new film")
    assert head(world) == before
    assert world.catalog.get(GetRequest(["new"])).unknown == ["new"]
    assert_same_catalog(second_reader(world), view)


def test_an_encoder_that_fails_midway_changes_nothing(world: World) -> None:
    before = head(world)
    world.encoder.fails_at = "film 40"
    with pytest.raises(EncoderUnavailable):
        world.put(**{f"i{number}": f"film {number}" for number in range(60)})
    assert head(world) == before
