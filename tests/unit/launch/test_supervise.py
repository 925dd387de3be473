"""The supervisor's decisions, with a scripted server in place of a real one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from penchant.launch.errors import LaunchError, TritonAborted
from penchant.launch.server_history import ServerHistory
from penchant.launch.supervise import STARTS, Supervisor, WatchEvents
from penchant.launch.vital_signs import Fault


class ScriptedServer:
    """Its starts end as the script says: with an error, or well."""

    target = "here:8001"

    def __init__(self, directory: Path, script: list[Exception | None]) -> None:
        self.directory = directory
        self.remarks: list[str] = []
        self.environments: list[Mapping[str, str]] = []
        self._script = script

    def start(self, environment: Mapping[str, str]) -> None:
        self.environments.append(environment)
        outcome = self._script.pop(0)
        if outcome is not None:
            raise outcome

    def kill(self) -> None:
        pass


class Stop(Exception):
    """Ends `watch`, which does not end by itself."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


def supervisor(
    server: ScriptedServer, faults: list[Fault | Exception], said: list[str]
) -> Supervisor:
    events = WatchEvents(
        said.append,
        lambda fault, wait_s: said.append(fault.kind),
        lambda server, took_s: said.append("back"),
    )
    made = Supervisor(server, events, stuck_after_s=20.0)  # type: ignore[arg-type]  # Scripted.

    def next_fault() -> Fault:
        fault = faults.pop(0)
        if isinstance(fault, Exception):
            raise fault
        return fault

    made._next_fault = next_fault  # type: ignore[method-assign]  # The script stands in.
    return made


def aborted() -> TritonAborted:
    return TritonAborted("Triton ended at its start (by SIGABRT):\n  boost::lock_error")


def test_a_first_start_that_triton_aborts_is_tried_again(tmp_path: Path, waits: object) -> None:
    server = ScriptedServer(tmp_path, [aborted(), aborted(), None])
    said: list[str] = []
    supervisor(server, [], said).start()
    assert said == ["Triton ended at its start (by SIGABRT); starting it again"] * 2


def test_a_crash_loop_at_the_first_start_ends_with_a_plain_error(
    tmp_path: Path, waits: list[float]
) -> None:
    server = ScriptedServer(tmp_path, [aborted() for _ in range(STARTS)])
    with pytest.raises(LaunchError, match=f"Triton aborted at {STARTS} starts in a row"):
        supervisor(server, [], []).start()
    assert sum(waits) < 30


def test_a_first_start_with_another_cause_is_not_tried_again(tmp_path: Path, waits: object) -> None:
    server = ScriptedServer(tmp_path, [LaunchError("[ConfigError] store: missing")])
    with pytest.raises(LaunchError, match="store: missing"):
        supervisor(server, [], []).start()


def test_a_server_that_was_up_is_started_again_for_as_long_as_it_takes(
    tmp_path: Path, waits: list[float]
) -> None:
    failures: list[Exception | None] = [LaunchError("the disk is full") for _ in range(40)]
    server = ScriptedServer(tmp_path, [None, *failures, None])
    said: list[str] = []
    watched = supervisor(server, [Fault("triton_ended", "by SIGBUS"), Stop()], said)
    watched.start()
    with pytest.raises(Stop):
        watched.watch()
    assert said == ["triton_ended", *["start_failed"] * 40, "back"]
    assert max(waits) <= 30.0


def test_the_models_are_told_how_often_and_why(tmp_path: Path, waits: object) -> None:
    server = ScriptedServer(tmp_path, [None, None, None])
    faults: list[Fault | Exception] = [Fault("silent", "x"), Fault("model_died", "y"), Stop()]
    watched = supervisor(server, faults, [])
    watched.start()
    with pytest.raises(Stop):
        watched.watch()
    told = [
        (given.get("PENCHANT_RESTARTS"), given.get("PENCHANT_RESTART_REASON"))
        for given in server.environments
    ]
    assert told == [(None, None), ("1", "silent"), ("2", "model_died")]


def test_the_history_keeps_each_fault_in_one_line(tmp_path: Path, waits: object) -> None:
    server = ScriptedServer(tmp_path, [None, None])
    watched = supervisor(server, [Fault("triton_ended", "by SIGABRT\n  what()"), Stop()], [])
    watched.start()
    with pytest.raises(Stop):
        watched.watch()
    watched.stopped()
    kinds = [entry.kind for entry in ServerHistory(tmp_path).entries()]
    assert kinds == ["started", "triton_ended", "started", "stopped"]
    assert "by SIGABRT | what() | restart 1" in (tmp_path / "serve.log").read_text()


def test_a_history_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    assert ServerHistory(place).add("started", "here").text == "here"


def test_the_history_is_bounded(tmp_path: Path) -> None:
    history = ServerHistory(tmp_path)
    history.path.write_text("2026-01-01T00:00:00Z started x\n" * 2500)
    history.add("stopped", "now")
    entries = history.entries()
    assert len(entries) == 1001
    assert entries[-1].text == "now"
