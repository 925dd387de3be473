"""Ads on a real Triton: the example, and a cap under many clients at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demos.ads.ads_simulation import simulated_readers, visits
from demos.ads.day import LAPSE_S, Day, DayPlan
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Penchant
from penchant_sdk.ads import (
    AdClient,
    Calibration,
    Campaign,
    Flight,
    FrequencyCap,
    Money,
    Per,
    Size,
    Slot,
)
from tests.architecture.source_tree import ROOT
from tests.support.ad_days import MIDNIGHT, campaigns_of
from tests.support.served import served

pytestmark = pytest.mark.server
SLOT = Slot("article", Size(300, 250))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The server's store."""
    directory: Path = tmp_path_factory.mktemp("ads-store")
    return f"lmdb:{directory}"


@pytest.fixture(scope="module")
def target(encoder: Path, store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that knows the ads' signals."""
    directory: Path = tmp_path_factory.mktemp("ads")
    settings = gather(store, encoder, ["signals=default,ads"])
    with served(Server(directory / "server", settings)) as running:
        yield running.target


def test_the_example_runs_and_says_why(target: str) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "ads.py"), target],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("Because") == 3
    assert 'Because this user bought from "A light tent for two".' in result.stdout
    assert "with alcohol blocked: tents" in result.stdout
    assert "with alcohol blocked: wine" not in result.stdout
    assert result.stdout.endswith("after hiding these: wine\n")


def test_many_ad_servers_at_once_keep_a_cap_and_a_budget(target: str) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    flight = Flight(start, start + timedelta(hours=2))
    capped = Campaign(
        "capped", "Shown three times", "A", flight, Money.of(100), Money.of(1),
        caps=(FrequencyCap(3, Per.HOUR),),
    )  # fmt: skip
    dear = Campaign("dear", "Nearly out of money", "B", flight, Money.of("0.10"), Money.of(1))
    with Penchant(target, timeout_s=60.0) as first:
        AdClient(first).put_campaigns([capped, dear])

    def serve(number: int) -> list[str]:
        shown = []
        with Penchant(target, timeout_s=60.0) as penchant:
            ads = AdClient(penchant, [capped, dear])
            for _ in range(2):
                for decision in ads.select(user="ann", slot=SLOT, n=2):
                    ads.impression(decision)
                    shown.append((decision.campaign, decision.price.micros))
        return [f"{campaign} {micros}" for campaign, micros in shown]

    with ThreadPoolExecutor(16) as threads:
        shown = [line for lines in threads.map(serve, range(16)) for line in lines]
    times = sum(line.startswith("capped") for line in shown)
    spent = sum(int(line.split()[1]) for line in shown if line.startswith("dear"))
    assert times == 3
    assert 0 < spent <= 100_000


def test_the_log_of_a_running_server_is_calibrated(target: str, store: str, tmp_path: Path) -> None:
    readers = simulated_readers(20, seed=1, texts_per_topic=1)
    with Penchant(target, timeout_s=60.0) as penchant:
        ads = AdClient(penchant, lapse_s=LAPSE_S)
        ads.put_campaigns(campaigns_of(readers, MIDNIGHT, Money.of(1000), caps=()))
        day = Day(ads, readers, DayPlan(SLOT, MIDNIGHT, concurrent_visits=8))
        day.play(visits(readers.users, 150, seed=1))
        output = tmp_path / "calibration.json"
        options = ["--store", store, "--set", "signals=default,ads", "--output", str(output)]
        result = subprocess.run(
            [sys.executable, "-m", "penchant.cli.main", "calibrate", *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        assert result.returncode == 0, result.stderr
        ads.calibration = Calibration.load(output)
        assert ads.calibration.impressions >= len(day.impressions) == 450
        assert len(ads.calibration.examination) == 3
