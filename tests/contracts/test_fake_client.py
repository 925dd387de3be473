"""The laws of a client on the fake that the SDK ships for its users' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penchant_sdk import Penchant
from penchant_sdk.testing import FakePenchant
from tests.contracts.client_laws import ClientLaws


@pytest.fixture(scope="module")
def penchant() -> Iterator[Penchant]:
    with FakePenchant() as penchant:
        yield penchant


class TestFakeClient(ClientLaws):
    pass
