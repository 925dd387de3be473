"""The laws of a client on the real thing."""

from __future__ import annotations

import pytest

from tests.contracts.client_laws import ClientLaws

pytestmark = pytest.mark.server


class TestRealServer(ClientLaws):
    pass
