"""What dies or sticks in a served Triton comes back by itself, on the same ports."""

from __future__ import annotations

import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from penchant.launch import diagnosis, probe
from penchant.launch.server_history import ServerHistory
from penchant_sdk import Event, PenchantError, Unavailable
from tests.support.serve_process import FILMS, PATIENCE_S, ServeProcess, serving, wait_until
from tests.support.shared_regions import prefixes_held, regions_of

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("foreign_clients_direct")]

BACK_S = 180.0
"""Many times what a fault may take on a machine of its own: this one works for others as well."""


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def answers(serve: ServeProcess) -> bool:
    """Whether each model instance answers."""
    return all(result.alive for result in probe.ask(serve.target, times=4))


def steady(serve: ServeProcess) -> bool:
    """Whether each model instance answers again and again: a Triton may abort after a resume."""
    return serve.process.poll() is None and all(answers(serve) for _ in range(20))


@contextmanager
def mended(serve: ServeProcess) -> Iterator[None]:
    """The body does harm; then the server comes back, on its ports, without old regions."""
    times, target, held = serve.backs(), serve.target, prefixes_held(serve.family())
    yield
    wait_until(lambda: serve.backs() > times, f"back: {serve.lines[-9:]}", BACK_S)
    assert serve.target == target
    wait_until(lambda: answers(serve), "answers")
    assert str(serve.triton().pid) in (serve.files / "server.pid").read_text()
    assert held
    assert regions_of(held - prefixes_held(serve.family())) == set()


HARM: dict[str, Callable[[ServeProcess], None]] = {
    "triton_aborted": lambda serve: serve.triton().send_signal(signal.SIGABRT),
    "triton_told_to_end": lambda serve: serve.triton().terminate(),
    "a_model_stopped": lambda serve: serve.stubs()["penchant_users_0_0"].suspend(),
    "triton_stopped": lambda serve: serve.triton().suspend(),
}


@pytest.mark.parametrize("harm", HARM)
def test_what_dies_or_stops_comes_back_by_itself_on_the_same_ports(
    serve: ServeProcess, harm: str
) -> None:
    with mended(serve):
        HARM[harm](serve)
    with serve.client() as penchant:
        assert len(penchant.rank("ann", k=3).items) == 3


def test_callers_see_unavailable_at_worst_and_nothing_acked_is_lost(serve: ServeProcess) -> None:
    acked: set[str] = set()
    errors: list[PenchantError] = []
    over = threading.Event()

    def feed() -> None:
        number = 0
        with serve.client(timeout_s=PATIENCE_S) as penchant:
            while not over.is_set():
                number += 1
                event = Event("bea", FILMS[number % 3].id, "like", event_id=f"e{number}")
                try:
                    penchant.feedback([event]).raise_for_refused()
                    penchant.rank("bea")
                except PenchantError as error:
                    errors.append(error)
                else:
                    acked.add(event.event_id)

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        wait_until(lambda: len(acked) > 5, "events before the fault")
        with mended(serve):
            serve.stubs()["penchant_rank_0_0"].kill()
        known = len(acked)
        wait_until(lambda: len(acked) > known + 5, "events after the fault")
    finally:
        over.set()
        feeder.join()
    assert all(isinstance(error, Unavailable) for error in errors), errors
    with serve.client() as penchant:
        kept = {row.event.event_id for row in penchant.export_user("bea").events}
    assert acked <= kept


@pytest.mark.parametrize("seconds", [1.2, 3.0])
def test_a_pause_of_everything_is_survived_whatever_triton_does(
    serve: ServeProcess, seconds: float
) -> None:
    over = threading.Event()

    def call() -> None:
        with serve.client(timeout_s=5.0) as penchant:
            while not over.is_set():
                try:
                    penchant.rank("cleo")
                except PenchantError:
                    over.wait(0.05)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        time.sleep(0.3)  # Calls are under way.
        family = serve.family()
        for process in family:
            process.suspend()
        time.sleep(seconds)
        for process in family:
            with suppress(psutil.NoSuchProcess):  # Those before it may have ended it already.
                process.resume()
        wait_until(lambda: serve.process.poll() is None and answers(serve), "answers")
    finally:
        over.set()
        for caller in callers:
            caller.join()
    wait_until(lambda: steady(serve), f"steady: {serve.lines[-9:]}")


def test_a_pause_of_the_supervisor_alone_is_no_fault(serve: ServeProcess) -> None:
    times, triton = serve.backs(), serve.triton()
    own = psutil.Process(serve.process.pid)
    own.suspend()
    time.sleep(3.0)
    own.resume()
    with serve.client() as penchant:
        assert len(penchant.rank("ann", k=3).items) == 3
    assert serve.triton() == triton
    assert serve.backs() == times


def test_a_fault_is_told_on_the_screen_in_the_log_by_doctor_and_by_a_metric(
    serve: ServeProcess,
) -> None:
    victim = "penchant_feedback_0_0"

    def told() -> tuple[list[str], list[str]]:
        lines = [line for line in serve.lines if f"{victim} died" in line]
        entries = ServerHistory(serve.files).entries()
        return lines, [entry.kind for entry in entries if victim in entry.text]

    lines, faults = told()
    with mended(serve):
        serve.stubs()[victim].kill()
    # Each start, those that failed on the way back included.
    times = sum("| restart " in entry.text for entry in ServerHistory(serve.files).entries())
    lines_now, faults_now = told()
    (line,) = lines_now[len(lines) :]
    assert line[:2] == "20"  # A time.
    assert faults_now[len(faults) :] == ["model_died"]
    # As the command would find them, by the port.
    home = serve.files.parent
    (home / f"serve-{serve.target.rpartition(':')[2]}").symlink_to(serve.files)
    (check,) = diagnosis.check_restarts(serve.target, home)
    assert check.state == "warn"
    assert f"{victim} died" in check.found

    def shown() -> bool:
        with urllib.request.urlopen(serve.said("metrics")) as reply:
            text = reply.read().decode()
        last = 'penchant_last_restart_timestamp_seconds{.*reason="model_died".*} 1'
        restarts = rf"^penchant_restarts({{.*}})? {times}$"
        return bool(re.search(restarts, text, re.MULTILINE) and re.search(last, text))

    wait_until(shown, "the metric")


def test_the_logs_of_earlier_starts_are_kept_and_bounded(serve: ServeProcess) -> None:
    logs = sorted(path.name for path in serve.files.glob("triton.log*"))
    assert logs[:2] == ["triton.log", "triton.log.1"]
    assert len(logs) <= 6


def test_regions_files_and_the_key_are_their_users_alone(serve: ServeProcess) -> None:
    held = {m.path for p in serve.family() for m in p.memory_maps() if "/dev/shm/" in m.path}
    assert held
    for path in [*held, serve.files / "admin-key", serve.files / "server.pid"]:
        assert Path(str(path)).stat().st_mode & 0o077 == 0, path
