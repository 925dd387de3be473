"""Questions that tests ask about a world's catalog."""

from __future__ import annotations

import numpy as np

from penchant.catalog.view import CatalogReader, CatalogView
from penchant.domain.types import CatalogHead
from penchant.service.rank import RankRequest
from penchant.service.user_interest import read_catalog
from penchant.store.items import read_head
from tests.support.world import World


def head(world: World) -> CatalogHead:
    with world.store.snapshot() as snapshot:
        return read_head(snapshot)


def ranked(world: World, user: str = "u", k: int = 1000) -> list[tuple[str, float]]:
    ranking = world.rank(RankRequest(user, k))
    return list(zip(ranking.ids, ranking.scores, strict=True))


def second_reader(world: World) -> CatalogView:
    """The catalog as a new process sees it."""
    with world.store.snapshot() as snapshot:
        return read_catalog(snapshot, CatalogReader(world.directory, world.config.fold))


def assert_same_catalog(one: CatalogView, two: CatalogView) -> None:
    assert one.head == two.head
    np.testing.assert_array_equal(one.vectors, two.vectors)
    np.testing.assert_array_equal(one.alive, two.alive)
    assert one.ids[: one.head.rows] == two.ids[: two.head.rows]
    assert one.numbers == two.numbers
    np.testing.assert_array_equal(one.prior.precision, two.prior.precision)
