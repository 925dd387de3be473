"""The laws of a store on real Valkey servers: one alone, and a cluster of six nodes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from penchant.store.open import open_store
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.contracts.places_laws import PlacesLaws
from tests.support.valkey_servers import (
    ValkeyCluster6,
    ValkeyNode,
    durability,
    valkey_cluster,
    valkey_server,
)

_NAMES = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyNode]:
    with valkey_server(tmp_path_factory.mktemp("one"), *durability("everysec")) as node:
        yield node


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyCluster6]:
    with valkey_cluster(tmp_path_factory.mktemp("six"), *durability("everysec")) as six:
        yield six


def opened(address: str) -> Iterator[ValkeyStore]:
    store = open_store(address)
    assert isinstance(store, ValkeyStore)
    yield store
    store.close()


class TestValkeyStore(PlacesLaws):
    @pytest.fixture
    def address(self, server: ValkeyNode) -> str:
        return f"valkey://{server.name}/law{next(_NAMES)}?timeout_ms=30000"

    @pytest.fixture
    def store(self, address: str) -> Iterator[ValkeyStore]:
        yield from opened(address)

    @pytest.fixture
    def other(self, address: str) -> Iterator[ValkeyStore]:
        yield from opened(address)

    def test_it_says_what_its_server_promises(self, store: ValkeyStore) -> None:
        assert store.durable
        assert "synced within a second" in store.durability.promise


class TestValkeyClusterStore(PlacesLaws):
    @pytest.fixture
    def address(self, cluster: ValkeyCluster6) -> str:
        return cluster.address_of(f"law{next(_NAMES)}") + "?wait=1&wait_ms=30000&timeout_ms=30000"

    @pytest.fixture
    def store(self, address: str) -> Iterator[ValkeyStore]:
        yield from opened(address)

    @pytest.fixture
    def other(self, address: str) -> Iterator[ValkeyStore]:
        yield from opened(address)

    def test_it_says_what_its_servers_promise(self, store: ValkeyStore) -> None:
        assert store.durability.promise.endswith("1 replica has it by then")
