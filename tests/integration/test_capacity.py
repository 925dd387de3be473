"""`penchant capacity` on a real Triton: its own, and one that runs already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest.traffic import item_id, item_text
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.store.keys import Kind
from penchant.store.open import open_store
from penchant_sdk import Item, Penchant
from tests.support.command import Ran, run
from tests.support.served import served
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

QUICK = ["--warm-up", "0.3", "--level", "0.5", "--most-levels", "2", "--highest", "200"]
# Calls wait for five times as long: a pause of the machine lasts longer than a level.
QUICK += ["--p99-ms", "2000"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = [item_text(number) for number in range(100)]
    return write_word_encoder(tmp_path_factory.mktemp("words") / "encoder", texts, 16, seed=1)


def levels(ran: Ran, output: Path) -> list[dict[str, float]]:
    assert ran.exit_code == 0, ran.output
    found: list[dict[str, float]] = json.loads((output / "capacity.json").read_text())["levels"]
    assert all(one["answered_per_s"] > 0 for one in found), ran.output
    return found


def test_a_server_of_its_own_is_started_filled_and_measured_by_process(
    encoder: Path, tmp_path: Path
) -> None:
    options = [
        "--encoder",
        encoder,
        "--items",
        200,
        "--made-up-users",
        50,
        "--rank-instances",
        1,
        "--output",
        tmp_path,
    ]
    found = levels(run(["capacity", *QUICK, *options]), tmp_path)
    assert set(found[0]["p99_by_verb_ms"]) == {"rank", "feedback"}  # type: ignore[call-overload]  # From JSON.
    names = set(found[0]["cores"])  # type: ignore[call-overload]  # From JSON.
    assert {"tritonserver", "penchant_rank_0_0", "penchant_feedback_0_0"} <= names


def test_of_a_running_server_it_takes_the_items_and_leaves_nobody_behind(
    encoder: Path, tmp_path: Path
) -> None:
    settings = gather(f"lmdb:{tmp_path / 'store'}", encoder)
    with served(Server(tmp_path / "server", settings)) as server:
        with Penchant(server.target, timeout_s=30.0) as client:
            client.put_items([Item(item_id(n), item_text(n)) for n in range(100)])
        options = ["--target", server.target, "--feedback-share", "50%", "--made-up-users", 90]
        options += ["--output", tmp_path]
        ran = run(["capacity", *QUICK, *options])
        found = levels(ran, tmp_path)
        assert "penchant_feedback_0_0" in found[0]["cores"]  # type: ignore[operator]  # From JSON.
    store = open_store(settings["store"], map_bytes=0)
    try:
        with store.snapshot() as snapshot:
            assert list(snapshot.scan(bytes([Kind.USER]))) == []
    finally:
        store.close()
