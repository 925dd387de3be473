"""A real server whose disk fills up, whose files are damaged, and which is not alone."""

from __future__ import annotations

import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from penchant.launch import LaunchError, Server
from penchant.launch.diagnosis import check_store_use
from penchant.launch.model_parameters import gather
from penchant.launch.server import ATTEMPTS
from penchant_sdk import Event, Item, Penchant, PenchantError, StoreUnavailable, Unavailable
from tests.contracts.client_world import KITCHEN, SPACE
from tests.support.served import served
from tests.support.small_disk import filled, small_disk
from tests.support.word_encoder import write_word_encoder

pytestmark = [
    pytest.mark.server,
    pytest.mark.usefixtures("foreign_clients_direct"),
]

TIMEOUT_S = 60.0
FILMS = [Item(f"film-{number}", text) for number, text in enumerate(SPACE + KITCHEN)]
MIB = 1 << 20


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with small_disk(tmp_path_factory.mktemp("mount") / "disk", 24) as place:
        yield place


@pytest.fixture(scope="module")
def describe(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Server]:
    """Describes a server on the store of the small disk, with files of its own."""
    encoder = tmp_path_factory.mktemp("words") / "encoder"
    write_word_encoder(encoder, [film.text for film in FILMS], dimensions=64, seed=1)
    settings = gather(f"lmdb:{disk / 'store'}", encoder, [f"store_map_bytes={64 * MIB}"])
    return lambda: Server(
        tmp_path_factory.mktemp("server"), settings, instances={"penchant_rank": 1}
    )


@pytest.fixture(scope="module")
def server(describe: Callable[[], Server]) -> Iterator[Server]:
    with served(describe()) as running:
        with connected(running) as penchant:
            penchant.put_items(FILMS)
            feed(penchant, "before", 20)
        yield running


def connected(server: Server) -> Penchant:
    """A client that does not try again, so that each refusal is seen."""
    return Penchant(server.target, timeout_s=TIMEOUT_S, max_attempts=1)


def feed(penchant: Penchant, name: str, count: int) -> set[str]:
    """Sends likes; returns the ids of those that were acknowledged."""
    acked: set[str] = set()
    for number in range(count):
        id_ = f"{name}-{number}"
        event = Event(f"user-{number % 5}", FILMS[number % 5].id, "like", event_id=id_)
        try:
            penchant.feedback([event]).raise_for_refused()
            acked.add(id_)
        except Unavailable:
            pass
    return acked


def kept(penchant: Penchant) -> set[str]:
    users = [penchant.export_user(f"user-{number}") for number in range(5)]
    return {row.event.event_id for user in users for row in user.events}


def fails_by_name(call: Callable[[], object]) -> str:
    with pytest.raises(StoreUnavailable) as caught:
        call()
    assert "Traceback" not in str(caught.value)
    assert "/" not in str(caught.value), "no path reaches a client"
    return str(caught.value)


def works_soon(call: Callable[[], object]) -> None:
    """The call works within seconds; on a busy machine, within a minute."""
    deadline = time.monotonic() + 60
    while True:
        try:
            call()
        except PenchantError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def test_a_full_disk_refuses_writes_and_costs_no_process_and_no_acked_event(
    server: Server, disk: Path
) -> None:
    pids = server.pids()
    with connected(server) as penchant:
        acked = feed(penchant, "while", 10)
        with filled(disk):
            many = [Item(f"new-{n}", f"{SPACE[0]}, part {n}") for n in range(256)]
            fails_by_name(lambda: penchant.put_items(many))
            for turn in range(4):
                acked |= feed(penchant, f"full-{turn}", 10)
            assert len(acked) < 50, "the disk was never full"
            assert penchant.rank("user-1").items
            assert kept(penchant) >= acked
        works_soon(lambda: penchant.put_items(many))
        acked |= feed(penchant, "after", 10)
        assert {f"after-{n}" for n in range(10)} <= acked
        assert kept(penchant) >= acked
        assert len(penchant.rank("user-1", k=300).items) > 256
    assert server.pids() == pids


def test_a_second_server_on_the_store_is_refused_by_name(
    server: Server, describe: Callable[[], Server]
) -> None:
    second = describe()
    with pytest.raises(LaunchError, match=rf"got a second server .*process {server.pid} on "):
        second.start()
    with connected(server) as penchant:
        assert feed(penchant, "beside", 3)


def test_a_directory_that_is_moved_away_acknowledges_nothing_until_it_is_back(
    server: Server, disk: Path
) -> None:
    store = disk / "store"
    with connected(server) as penchant:
        store.rename(disk / "elsewhere")
        lost = Event("user-1", FILMS[0].id, "like", event_id="lost")
        assert "moved away" in fails_by_name(lambda: penchant.feedback([lost]))
        assert penchant.rank("user-1").items
        (disk / "elsewhere").rename(store)
        assert feed(penchant, "back", 3) == {f"back-{n}" for n in range(3)}
        assert "lost" not in kept(penchant)


def refused_by_name(penchant: Penchant, catalog: Path) -> bool:
    """Whether a ranking meets the files that are truncated here, and is refused for a moment."""
    for kind in ("vectors", "texts", "offsets"):
        for path in catalog.glob(f"{kind}-*"):
            os.truncate(path, 100)

    def rank() -> None:
        if penchant.rank("stranger").items:
            raise _Mended

    try:
        return "within seconds" in fails_by_name(rank)
    except _Mended:
        return False


class _Mended(Exception):
    """The files are whole again."""


def test_files_truncated_under_the_running_server_are_mended_without_a_restart(
    server: Server, disk: Path
) -> None:
    pids = server.pids()
    with connected(server) as penchant:
        feed(penchant, "to settle", 5)
        time.sleep(1.1)  # The offsets of all items are written again once a second.
        feed(penchant, "to settle again", 5)
        before = penchant.rank("stranger", k=300)
        # One process reads all files every few seconds, and may mend them before a call meets them.
        assert any(refused_by_name(penchant, disk / "store/catalog") for _ in range(5))
        works_soon(lambda: penchant.rank("stranger"))
        works_soon(lambda: penchant.put_items([Item("after", "a film after the damage")]))
        assert feed(penchant, "after the damage", 3)
        after = penchant.rank("stranger", k=300)
    assert {item.id for item in before.items} == {one.id for one in after.items} - {"after"}
    assert server.pids() == pids

    def counted() -> None:
        with urllib.request.urlopen(server.metrics_url, timeout=TIMEOUT_S) as page:
            if b"penchant_catalog_mends_total{" not in page.read():
                raise PenchantError("not counted yet")

    works_soon(counted)
    (check,) = (one for one in check_store_use(f"lmdb:{disk / 'store'}") if one.name == "catalog")
    assert check.state == "warn"
    assert "written again" in check.found


def test_a_server_starts_on_damaged_files_and_serves_as_before(server: Server, disk: Path) -> None:
    with connected(server) as penchant:
        feed(penchant, "settled", 5)
        time.sleep(1.1)  # The offsets of all items are written again once a second.
        feed(penchant, "settled again", 5)
        before = penchant.rank("stranger", k=300)
    server.stop()
    catalog = disk / "store/catalog"
    dice = np.random.default_rng(7)
    for path in catalog.glob("vectors-*"):
        path.write_bytes(dice.bytes(path.stat().st_size))
    for path in catalog.glob("offsets-*"):
        path.write_bytes(b"")
    for path in catalog.glob("version-*"):
        path.write_bytes(path.read_bytes()[:100])
    server.start(attempts=ATTEMPTS)
    with connected(server) as penchant:
        after = penchant.rank("stranger", k=300)
    # Films that are liked as much as others are told apart by milliseconds.
    scores = {item.id: item.score for item in before.items}
    assert {item.id: item.score for item in after.items} == pytest.approx(scores, abs=0.01)
    text = server.log_path.read_text(errors="replace")
    assert "it is written again" in text
    assert "Traceback" not in text


def test_an_empty_data_file_is_refused_by_name_at_the_start(server: Server, disk: Path) -> None:
    server.stop()
    data = disk / "store/data.mdb"
    whole = disk / "whole.mdb"
    shutil.copy(data, whole)
    data.write_bytes(b"")
    with pytest.raises(LaunchError, match=r"empty data\.mdb \(0 bytes\)"):
        server.start()
    whole.replace(data)
    server.start(attempts=ATTEMPTS)  # A copy of the store starts.
    with connected(server) as penchant:
        assert kept(penchant)
