"""The laws of a client, against a fake in this process or a real server.

A test module provides the fixture `penchant`, a connected client, and subclasses `ClientLaws`. The
server need not be empty and may have any encoder: each test creates its own users and items, and
none expects a certain score.
"""

from __future__ import annotations

from penchant_sdk import Penchant
from tests.contracts.client_argument_laws import ArgumentLaws
from tests.contracts.client_catalog_laws import CatalogLaws, RankLaws
from tests.contracts.client_feedback_laws import FeedbackLaws, UserLaws
from tests.contracts.client_refusal_laws import RefusalLaws
from tests.contracts.client_reserve_laws import ReserveLaws


class ClientLaws(
    ArgumentLaws, CatalogLaws, RankLaws, FeedbackLaws, UserLaws, ReserveLaws, RefusalLaws
):
    """All laws of a client."""

    def test_server_is_ready(self, penchant: Penchant) -> None:
        assert penchant.ready()
