"""The log that compressed encoders are measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.logs.log_source import LogSource
from penchant.training.compress.validation_log import ValidationLog, read_rankings
from tests.support.signal_logs import CART, shop_rows, write_shop_log


@pytest.mark.parametrize(
    ("relevant", "hit"), [("", "signal=purchase"), ("signal=view", "signal=view")]
)
def test_encoders_are_measured_on_the_objective_of_the_log(
    tmp_path: Path, relevant: str, hit: str
) -> None:
    rows = shop_rows((CART,), events=3000)
    write_shop_log(tmp_path, rows, 160)
    log = LogSource(items=tmp_path / "shop-items.csv", events=tmp_path / "shop-events.csv")
    said: list[str] = []
    chosen = ValidationLog(0.2, log=log, relevant=relevant)
    rankings = read_rankings(chosen, tmp_path, lambda stream, left_out, hits: said.append(hits))
    seen: set[tuple[int, int]] = set()
    wanted = 0
    for place, (user, item, signal) in enumerate(rows):
        new = (user, item) not in seen
        wanted += place >= 0.8 * len(rows) and new and hit == f"signal={signal}"
        seen.add((user, item))
    assert said == [hit]
    assert len(rankings.user) == wanted > 20
