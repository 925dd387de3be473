"""The clock beside a real server refreshes by itself; whatever befalls it, the server stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from penchant.launch import diagnosis
from penchant.refresh.refresh_pace import LEAST_EVENTS
from penchant_sdk import Event
from tests.support.serve_process import FILMS, PATIENCE_S, ServeProcess, serving, wait_until

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("foreign_clients_direct")]

EVERY = "--refresh-every=500ms"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    with serving(tmp_path_factory.mktemp("clocked"), [EVERY]) as running:
        yield running


def clock_of(serve: ServeProcess) -> psutil.Process:
    found: list[psutil.Process] = []

    def there() -> bool:
        found[:] = serve.clocks()
        return len(found) == 1

    wait_until(there, "a clock")
    return found[0]


def feed_enough(serve: ServeProcess, first: int) -> None:
    with serve.client() as penchant:
        events = [
            Event(f"user-{n % 9}", FILMS[n % 2].id, "like", event_id=f"e{n}")
            for n in range(first, first + LEAST_EVENTS)
        ]
        penchant.feedback(events).raise_for_refused()


def version(serve: ServeProcess) -> int:
    with serve.client() as penchant:
        return penchant.rank("somebody").catalog_version


GAUGES = ("age_seconds", "duration_seconds", "new_events", "failures")


def log_of(serve: ServeProcess) -> str:
    return (serve.files / "refresh.log").read_text()


def metrics_of(serve: ServeProcess) -> str:
    with urllib.request.urlopen(serve.said("metrics")) as reply:
        return str(reply.read().decode())


def test_a_server_refreshes_itself_and_shows_it(serve: ServeProcess) -> None:
    before = version(serve)
    wait_until(lambda: "Too few new events" in log_of(serve), "a look that says why not")
    feed_enough(serve, 0)
    wait_until(lambda: version(serve) > before, f"a refresh: {log_of(serve)}")
    said = f"from {LEAST_EVENTS} events"  # The clock says so once the server has been shown it.
    wait_until(lambda: said in log_of(serve), "a line in the clock's log")
    gauges = [f"penchant_refresh_{name}{{" for name in GAUGES]  # They are set one by one.
    wait_until(lambda: all(one in metrics_of(serve) for one in gauges), "its metrics")
    store = f"lmdb:{serve.directory / '.penchant' / 'store'}"
    *_, check = diagnosis.check_refresh(store)
    assert check.state == "ok"
    assert said in check.found


def test_a_clock_that_is_killed_comes_back_and_the_server_never_went(serve: ServeProcess) -> None:
    triton, clock = serve.triton().pid, clock_of(serve)
    clock.kill()
    wait_until(lambda: [one.pid for one in serve.clocks()] not in ([], [clock.pid]), "a new clock")
    serve.wait_for("The refresh clock ended with status -9")
    before = version(serve)
    feed_enough(serve, 1000)
    wait_until(lambda: version(serve) > before, f"a refresh by the new clock: {log_of(serve)}")
    assert serve.triton().pid == triton
    assert serve.backs() == 0


def test_a_second_clock_leaves_the_work_to_the_first(serve: ServeProcess) -> None:
    """Both look at one store; one refreshes, and the other then finds nothing new."""
    store = f"lmdb:{serve.directory / '.penchant' / 'store'}"
    command = [sys.executable, "-m", "penchant.cli.main", "refresh", "--every", "500ms"]
    with subprocess.Popen(
        [*command, "--store", store], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as second:
        try:
            assert second.stdout is not None
            # Before that, it may have found the first one looking.
            assert any("Too few new events" in line for line in second.stdout)
            before = version(serve)
            feed_enough(serve, 2000)
            wait_until(lambda: version(serve) > before, "a refresh")
            with serve.client() as penchant:
                penchant.feedback([Event("user-1", FILMS[2].id, "like", event_id="late")])
        finally:
            second.terminate()
    assert version(serve) == before + 1


def test_a_clock_that_is_stopped_holds_up_nobody(serve: ServeProcess) -> None:
    clock = clock_of(serve)
    clock.suspend()
    try:
        feed_enough(serve, 3000)
        assert version(serve) >= 1
    finally:
        clock.resume()


def test_the_clock_ends_with_its_server_however_that_ends(tmp_path: Path) -> None:
    with serving(tmp_path, [EVERY]) as serve:
        clock = clock_of(serve)
        serve.process.send_signal(signal.SIGTERM)
        serve.process.wait(PATIENCE_S)
        assert not clock.is_running() or clock.status() == psutil.STATUS_ZOMBIE
    with serving(tmp_path, [EVERY]) as serve:
        clock = clock_of(serve)
        serve.process.kill()
        wait_until(lambda: not clock.is_running(), "the end of the clock")


def test_a_server_told_never_to_refresh_has_no_clock(tmp_path: Path) -> None:
    with serving(tmp_path, ["--refresh-every=never"]) as serve:
        assert serve.said("refresh").startswith("never")
        assert serve.clocks() == []
