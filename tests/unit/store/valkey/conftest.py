"""One Valkey server for a file of tests, and a namespace on it for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.support.valkey_servers import ValkeyNode, valkey_server

_NAMES = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyNode]:
    with valkey_server(tmp_path_factory.mktemp("one")) as node:
        yield node


@pytest.fixture
def address(server: ValkeyNode) -> str:
    # A busy machine may keep the server from answering for seconds.
    return f"valkey://{server.name}/test{next(_NAMES)}?timeout_ms=30000"
