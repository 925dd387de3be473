"""A real Triton is started, probed, killed, restarted and stopped, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from penchant.launch import FREE, LaunchError, Ports, Server, probe
from penchant.launch.errors import TritonAborted
from penchant.launch.server import ATTEMPTS
from tests.support.serve_process import wait_until
from tests.support.shared_regions import prefixes_held, regions_of
from tests.unit.launch.standin import write_sources

pytestmark = pytest.mark.server


def alive(target: str) -> set[str]:
    results = probe.ask(target, timeout_s=30.0)  # The machine may be busy.
    return {result.model for result in results if result.alive}


def test_the_life_of_a_server(tmp_path: Path) -> None:
    settings = {"greeting": 'é "x"\\\n'}
    server = Server(
        tmp_path, settings, instances={"penchant_rank": 2}, sources=write_sources(tmp_path)
    )
    with server:
        assert alive(server.target) == set(probe.calls())
        stubs = server.pids()
        assert len(stubs) == 6
        assert {"penchant_rank_0_0", "penchant_rank_0_1"} < set(stubs)
        assert r'"greeting": "\u00e9 \"x\"\\\n"' in server.log_path.read_text()
        held = prefixes_held(map(psutil.Process, stubs.values()))
        assert regions_of(held)

        os.kill(stubs["penchant_users_0_0"], signal.SIGKILL)
        while "penchant_users_0_0" in server.pids():
            pass  # Only as long as a signal takes; pytest's time limit ends it.
        assert alive(server.target) == set(probe.calls()) - {"penchant_users"}
        assert set(server.pids()) == set(stubs) - {"penchant_users_0_0"}

        os.kill(stubs["penchant_rank_0_1"], signal.SIGKILL)
        while "penchant_rank_0_1" in server.pids():
            pass
        (rank,) = probe.ask(server.target, ["penchant_rank"], times=8, timeout_s=30.0)
        assert not rank.alive  # Although the other instance answers.

        pid, target = server.pid, server.target
        server.kill()
        assert server.returncode == -signal.SIGKILL
        assert server.pid is None
        assert server.pids() == {}
        assert regions_of(held) == set()

        server.start(attempts=ATTEMPTS)
        assert server.pid != pid
        assert server.target == target
        assert alive(target) == set(probe.calls())
        left = [psutil.Process(stub) for stub in server.pids().values()]
    assert server.returncode == 0
    # Those that Triton left are reaped by another process, a moment after they ended.
    wait_until(lambda: not any(map(psutil.Process.is_running, left)), "the models' end")
    server.stop()  # A repetition has no effect.


def test_a_model_that_fails_says_its_own_reason_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = f"{os.getpid():012x}"  # Other servers of this machine have other regions.
    monkeypatch.setattr("penchant.launch.shared_memory.secrets.token_hex", lambda size: token)
    server = Server(tmp_path, {"fail": "got 1, expected 2"}, sources=write_sources(tmp_path))
    with pytest.raises(LaunchError) as raised:
        server.start()
    first, reason, *_ = str(raised.value).splitlines()
    assert first == "Triton ended at its start (with status 1):"
    assert reason.strip() == "[ConfigError] fail: got 1, expected 2"
    assert raised.value.log == server.log_path
    assert server.pid is None
    assert regions_of([f"penchant_{token}"]) == set()


def test_a_triton_that_aborts_at_its_start_is_started_again_where_asked(tmp_path: Path) -> None:
    settings = {"abort_once": str(tmp_path / "aborted")}
    server = Server(tmp_path, settings, sources=write_sources(tmp_path))
    with pytest.raises(TritonAborted, match="by SIGABRT"):
        server.start()
    (tmp_path / "aborted").unlink()
    with server:
        assert (tmp_path / "aborted").exists()
        assert alive(server.target) == set(probe.calls())


ASK = probe.ask


class LateOnceSick:
    """A clock on which the time of a start is over once one model alone says that it is sick."""

    sleep = staticmethod(time.sleep)

    def __init__(self) -> None:
        self.late_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.late_s

    def ask(self, *arguments: Any, **options: Any) -> list[probe.ProbeResult]:
        results = ASK(*arguments, **options)
        sick = [one.text for one in results if not one.alive]
        if len(sick) == 1 and "[StoreUnavailable]" in sick[0]:
            self.late_s = 3600.0
        return results


def test_a_model_that_stays_sick_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = LateOnceSick()
    monkeypatch.setattr("penchant.launch.server.time", clock)
    monkeypatch.setattr(probe, "ask", clock.ask)
    server = Server(tmp_path, {"sick": "embed"}, sources=write_sources(tmp_path))
    with pytest.raises(LaunchError, match=r"penchant_encoder: UNAVAILABLE: \[StoreUnavailable\]"):
        server.start()
    assert server.pid is None


def test_a_taken_port_is_named_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ports = Ports(grpc=port, http=0, metrics=0)
        server = Server(tmp_path, {}, ports=ports, sources=write_sources(tmp_path))
        with pytest.raises(LaunchError, match=f"port {port} is taken"):
            server.start()
    assert server.returncode is None


def test_a_directory_that_stubs_cannot_open_is_refused(tmp_path: Path) -> None:
    server = Server(tmp_path / "é", {}, ports=FREE, sources=write_sources(tmp_path))
    with pytest.raises(LaunchError, match="ASCII"):
        server.start()
