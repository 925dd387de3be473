"""A server that was told to use another updater ranks by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Event, Item, Penchant
from tests.contracts.client_world import KITCHEN, SPACE, unique
from tests.integration.conftest import TIMEOUT_S
from tests.support.served import served

pytestmark = pytest.mark.server


@pytest.mark.parametrize("updater", ["logistic", "prototypes"])
def test_the_next_ranking_follows_the_feedback_under_the_updater_that_was_set(
    updater: str, encoder: Path, tmp_path: Path
) -> None:
    settings = {**gather(f"lmdb:{tmp_path / 'store'}", encoder), "updater": updater}
    items = [Item(unique("item"), text) for text in SPACE + KITCHEN]
    server = Server(tmp_path / "server", settings)
    with served(server), Penchant(server.target, timeout_s=TIMEOUT_S) as penchant:
        penchant.put_items(items)
        for item in (items[0], items[-1]):
            before = _slow_parts(penchant)[item.id]
            penchant.feedback([Event(user="u", item=item.id, signal="like")])
            assert _slow_parts(penchant)[item.id] > before


def _slow_parts(penchant: Penchant) -> dict[str, float]:
    """What the slow interest adds to each score; the parts sum to the score."""
    parts = {}
    for item in penchant.rank("u", k=10, explain=True).items:
        why = item.explanation
        assert why is not None
        total = why.offset + why.slow + why.fast + why.near + why.repeat + why.query
        assert total == pytest.approx(item.score, abs=1e-4)
        parts[item.id] = why.slow
    return parts
