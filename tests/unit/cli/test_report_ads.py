"""`penchant ads report`: the sums of the log, by campaign and day, beside the budgets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from penchant.domain.reservations import Budget, ReserveOption
from penchant.domain.spending import Spending
from penchant.domain.types import Item
from penchant.domain.window import digest64
from penchant.store.ledgers import write_spending
from penchant.store.lmdb import LmdbStore
from penchant_sdk.ads.campaign import Campaign, Flight, Per, to_item
from penchant_sdk.ads.money import Money
from penchant_sdk.ads.pacing import budget_key
from tests.support import command
from tests.support.ad_ledgers import AdDesk
from tests.support.world import NOW_US, SECOND_US, World

YEAR = Flight(datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
CITY = Campaign(
    "shoes", "Trail shoes", "Oak", YEAR, Money.of(9), Money.of(1),
    time_zone="Pacific/Auckland", budget_per=Per.DAY,
)  # fmt: skip


def option(at_us: int) -> tuple[ReserveOption, ...]:
    return (ReserveOption("shoes", (), Budget(budget_key(CITY, at_us), 250_000, 9_000_000)),)


@pytest.fixture
def store(tmp_path: Path) -> LmdbStore:
    """Two days by Auckland's clock, three hours apart: one of two shown, then one of one."""
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 22)
    desk = AdDesk(World(tmp_path / "catalog", store=store))
    item = to_item(CITY)
    desk.world.catalog.put([Item(item.id, item.text, dict(item.attributes))])
    desk.world.now_us = NOW_US - 12 * 3600 * SECOND_US  # 10:13 UTC, 23:13 in Auckland.
    for id_ in ("r1", "r2"):
        desk.reserve("u", id_, option(desk.world.now_us))
    desk.show("u", "r1", "shoes", copies=2)
    desk.world.now_us += 3 * 3600 * SECOND_US
    desk.reserve("v", "r3", option(desk.world.now_us))
    desk.show("v", "r3", "shoes")
    return store


def test_the_report_is_the_log_by_campaign_and_day_of_its_clock(
    store: LmdbStore, tmp_path: Path
) -> None:
    store.close()
    numbers = tmp_path / "numbers.json"
    ran = command.run(["ads", "report", "--store", f"lmdb:{tmp_path / 'store'}", "--json", numbers])
    assert (ran.exit_code, ran.stderr) == (0, "")
    rows = [line.split() for line in ran.stdout.splitlines() if "shoes" in line]
    assert rows == [
        ["shoes", "2023-11-14", "2", "1", "1", "0", "0.500000", "0.250000"],
        ["shoes", "2023-11-15", "1", "1", "0", "0", "0.250000", "0.250000"],
    ]
    assert "Compared 2 budgets with the log: no difference." in ran.stdout
    found = json.loads(numbers.read_text())
    assert found["total"]["charged_micros"] == 500_000


def test_a_budget_that_differs_is_named_and_rebuilt(store: LmdbStore, tmp_path: Path) -> None:
    with store.transaction() as transaction:
        write_spending(transaction, digest64("shoes@2023-11-14"), Spending(999))
    store.close()
    place = ["--store", f"lmdb:{tmp_path / 'store'}"]
    ran = command.run(["ads", "report", *place])
    assert ran.exit_code == 1
    assert "The budget of shoes says 0.000999 spent; the log charged 0.250000." in ran.stdout
    assert f"penchant rebuild ledgers --store lmdb:{tmp_path / 'store'}" in ran.stdout
    assert "1 differed" in command.run(["rebuild", "ledgers", *place]).output
    assert command.run(["ads", "report", *place]).exit_code == 0


def test_a_store_without_ads_has_an_empty_report(tmp_path: Path) -> None:
    LmdbStore(tmp_path, map_bytes=1 << 22).close()
    missing = command.run(["ads", "report", "--store", f"lmdb:{tmp_path / 'none'}"])
    assert (missing.exit_code, "there is none" in missing.stderr) == (1, True)
