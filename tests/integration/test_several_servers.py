"""Two real servers that come and go: no call of a client that knows both fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.server import ATTEMPTS
from penchant_sdk import Event, EventStatus, Item, Penchant
from tests.contracts.client_world import KITCHEN, SPACE
from tests.support.served import served

pytestmark = [pytest.mark.server, pytest.mark.timeout(900)]

FILMS = [Item(f"film-{number}", text) for number, text in enumerate(SPACE + KITCHEN)]
TIMEOUT_S = 60.0
PATIENCE_S = 120.0
CALLERS = 3


class Callers:
    """Threads that rank through one client until they are told to stop."""

    def __init__(self, penchant: Penchant) -> None:
        self.ranked = 0
        self._penchant = penchant
        self._stop = threading.Event()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Raises the first error of a call at the end, if there was any."""
        with ThreadPoolExecutor(CALLERS) as threads:
            working = [threads.submit(self._rank) for _ in range(CALLERS)]
            try:
                yield
            finally:
                self._stop.set()
                for one in working:
                    one.result()

    def more(self, count: int) -> None:
        """Waits for so many more rankings."""
        wanted, end_s = self.ranked + count, time.monotonic() + PATIENCE_S
        while self.ranked < wanted:
            assert not self._stop.is_set(), "a call failed: see its error"
            assert time.monotonic() < end_s
            time.sleep(0.01)

    def _rank(self) -> None:
        while not self._stop.is_set():
            try:
                assert self._penchant.rank("u", k=3).ids
            except BaseException:
                self._stop.set()
                raise
            self.ranked += 1


@pytest.fixture
def pair(server_in: Callable[[Path], Server], tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers with stores of their own, and the same items."""
    servers = [server_in(tmp_path / name) for name in "ab"]
    with ExitStack() as stack:
        with ThreadPoolExecutor(2) as threads:
            started = [threads.submit(stack.enter_context, served(one)) for one in servers]
            for one in started:
                one.result()
        for server in servers:
            with Penchant(server.target, timeout_s=TIMEOUT_S) as penchant:
                penchant.put_items(FILMS)
        yield servers


def answers(caplog: pytest.LogCaptureFixture, server: Server) -> int:
    return sum(f"{server.target} answered" in record.getMessage() for record in caplog.records)


def test_servers_that_are_killed_stopped_and_started_cost_no_call(
    pair: list[Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = pair
    caplog.set_level(logging.DEBUG, "penchant_sdk")
    with (
        Penchant([a.target, b.target], timeout_s=TIMEOUT_S) as penchant,
        Penchant(a.target, timeout_s=TIMEOUT_S, spool=tmp_path / "spool") as lonely,
    ):
        assert penchant.ready()
        callers = Callers(penchant)
        with callers.at_work():
            callers.more(100)
            end_s = time.monotonic() + PATIENCE_S
            # On a busy machine one of them may seem slow, and get one call a second for a while.
            while min(answers(caplog, a), answers(caplog, b)) < 10:
                callers.more(1)
                assert time.monotonic() < end_s
            a.kill()
            callers.more(100)
            likes = [Event("u", film.id, "like") for film in FILMS]
            for like in likes:
                ack = lonely.feedback([like])
                assert ack.results[0].status is EventStatus.SPOOLED
            a.start(attempts=ATTEMPTS)
            before = answers(caplog, a)
            end_s = time.monotonic() + PATIENCE_S
            while answers(caplog, a) < before + 20 or lonely.spooled_events:
                callers.more(10)
                assert time.monotonic() < end_s
            b.stop()
            callers.more(100)
        export = lonely.export_user("u")
        assert [row.event.event_id for row in export.events] == [like.event_id for like in likes]
        again = lonely.feedback([likes[0]])
        assert again.results[0].status is EventStatus.DUPLICATE
        assert lonely.rank("u", min_state_version=len(likes)).state_version == len(likes)
