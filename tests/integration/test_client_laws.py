"""The laws of a client on the real thing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Penchant
from tests.contracts.client_laws import ClientLaws
from tests.contracts.client_signal_laws import OWN_SIGNALS, OwnSignalLaws
from tests.integration.conftest import TIMEOUT_S
from tests.support.served import served

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def with_own_signals(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Penchant]:
    """A client of a server with a signal table of its own."""
    directory = tmp_path_factory.mktemp("signals")
    settings = gather(f"lmdb:{directory / 'store'}", encoder, [f"signals={OWN_SIGNALS}"])
    with (
        served(Server(directory / "server", settings)) as server,
        Penchant(server.target, timeout_s=TIMEOUT_S) as client,
    ):
        yield client


class TestRealServer(ClientLaws):
    pass


class TestRealServerWithOwnSignals(OwnSignalLaws):
    @pytest.fixture
    def penchant(self, with_own_signals: Penchant) -> Penchant:
        return with_own_signals
