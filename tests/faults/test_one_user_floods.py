"""One user floods an item on a real Triton; strangers, processes and counters are unmoved."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant_sdk import Event, EventStatus, Item, Penchant
from tests.support import command
from tests.support.serve_process import wait_until
from tests.support.served import served
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server

ITEMS = {name: f"a film about {name}" for name in ("horses", "rockets", "kitchens", "oceans")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flood")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[Server]:
    encoder = write_word_encoder(place / "encoder", ITEMS.values(), dimensions=8, seed=1)
    settings = gather(f"lmdb:{place / 'store'}", encoder)
    with served(Server(place / "server", settings)) as running:
        yield running
    assert "Traceback" not in running.log_path.read_text(errors="replace")


@pytest.fixture(scope="module")
def penchant(server: Server) -> Iterator[Penchant]:
    with Penchant(server.target, timeout_s=60.0) as client:
        client.put_items([Item(name, text) for name, text in ITEMS.items()])
        yield client


def firsts(penchant: Penchant) -> set[str]:
    """What strangers see first, in as many processes as answer."""
    return {penchant.rank(f"stranger {n}", k=1).items[0].id for n in range(8)}


def test_a_flooding_user_moves_no_stranger_and_leaves_with_everything(
    server: Server, penchant: Penchant, place: Path
) -> None:
    likes = [Event(user="flooder", item="rockets", signal="like") for _ in range(60)]
    penchant.feedback(likes)
    penchant.feedback([Event(user=user, item="horses", signal="like") for user in ("a", "b")])
    assert firsts(penchant) == {"horses"}
    penchant.feedback(
        [Event(user=f"f{n}", item="oceans", signal="purchase") for n in range(4)],
    )
    assert firsts(penchant) == {"oceans"}
    for number in range(4):
        penchant.forget_user(f"f{number}")
    assert firsts(penchant) == {"horses"}

    rebuilt = command.run(["rebuild", "counters", "--store", f"lmdb:{place / 'store'}"])
    assert rebuilt.exit_code == 0, rebuilt.output
    assert "the counters of 4 items" in rebuilt.output
    assert firsts(penchant) == {"horses"}
    penchant.feedback([Event(user=user, item="kitchens", signal="like") for user in "xyz"])
    assert firsts(penchant) == {"kitchens"}


def test_an_event_of_a_client_far_ahead_is_refused_logged_once_and_counted(
    server: Server, penchant: Penchant
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=1)
    event = Event(user="late", item="horses", signal="like", occurred_at=ahead)
    for _ in range(2):
        (result,) = penchant.feedback([event]).results
        assert result.status is EventStatus.REFUSED
        assert "ahead of the server's clock" in result.message
    wait_until(lambda: refused(server) >= 2, "the metric of refused events")
    said = "this is the first for its cause"
    wait_until(lambda: said in server.log_path.read_text(errors="replace"), "the line of the log")
    assert server.log_path.read_text(errors="replace").count(said) == 1


def refused(server: Server) -> float:
    """The metric of events that were refused one by one."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(server.metrics_url, timeout=60) as response:
        text = response.read().decode()
    found = re.findall(r"^penchant_refused_events_total\{.*\} (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))
