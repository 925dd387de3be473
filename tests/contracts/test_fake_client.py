"""The laws of a client on the fake that the SDK ships for its users' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penchant_sdk import Penchant
from penchant_sdk.testing import FakePenchant
from tests.contracts.client_laws import ClientLaws
from tests.contracts.client_signal_laws import OWN_SIGNALS, OwnSignalLaws


@pytest.fixture(scope="module")
def penchant() -> Iterator[Penchant]:
    with FakePenchant() as penchant:
        yield penchant


@pytest.fixture(scope="module")
def with_own_signals() -> Iterator[Penchant]:
    with FakePenchant(signals=OWN_SIGNALS) as penchant:
        yield penchant


class TestFakeClient(ClientLaws):
    pass


class TestFakeClientWithOwnSignals(OwnSignalLaws):
    @pytest.fixture
    def penchant(self, with_own_signals: Penchant) -> Penchant:
        return with_own_signals
