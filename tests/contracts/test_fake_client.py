"""The laws of a client on the fakes that the SDK ships for its users' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penchant_sdk import Penchant
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant
from tests.contracts.client_laws import ClientLaws
from tests.contracts.client_signal_laws import OWN_SIGNALS, OwnSignalLaws
from tests.support.blocking import blocking


@pytest.fixture(scope="module")
def penchant() -> Iterator[Penchant]:
    with FakePenchant() as penchant:
        yield penchant


@pytest.fixture(scope="module")
def with_own_signals() -> Iterator[Penchant]:
    with FakePenchant(signals=OWN_SIGNALS) as penchant:
        yield penchant


@pytest.fixture(scope="module")
def asynchronous() -> Iterator[Penchant]:
    with blocking(AsyncFakePenchant()) as penchant:
        yield penchant


class TestFakeClient(ClientLaws):
    pass


class TestAsyncFakeClient(ClientLaws):
    @pytest.fixture
    def penchant(self, asynchronous: Penchant) -> Penchant:
        return asynchronous


class TestFakeClientWithOwnSignals(OwnSignalLaws):
    @pytest.fixture
    def penchant(self, with_own_signals: Penchant) -> Penchant:
        return with_own_signals
