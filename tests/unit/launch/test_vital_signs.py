"""What counts as a fault, with this process's own children in place of a server's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest

from penchant.launch import vital_signs
from penchant.launch.tls import PLAIN
from penchant.launch.vital_signs import STOPPED_S, VitalSigns

STUCK_S = 20.0


@dataclass
class ServerOfChildren:
    """A server whose processes are children of the test."""

    children: dict[str, psutil.Process]
    target: str = "127.0.0.1:9"
    models: list[str] = field(default_factory=lambda: ["penchant_rank"])
    access = PLAIN
    returncode: int | None = None
    told: bool = False

    @property
    def pid(self) -> int:
        return self.children["Triton"].pid

    def pids(self) -> dict[str, int]:
        return {
            name: child.pid
            for name, child in self.children.items()
            if name != "Triton" and child.status() != psutil.STATUS_ZOMBIE
        }

    def death(self) -> str:
        return "Triton ended by itself (by SIGABRT)"

    def was_told_to_end(self) -> bool:
        return self.told


class Silence:
    """A pulse whose silence the test sets."""

    silent_s = 0.0

    def __init__(self, *_: object) -> None:
        pass

    def advance(self, seconds: float) -> dict[str, tuple[float, str]]:
        return {"penchant_rank": (self.silent_s, "")} if self.silent_s else {}

    def close(self) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerOfChildren]:
    monkeypatch.setattr(vital_signs, "Pulse", Silence)
    monkeypatch.setattr(Silence, "silent_s", 0.0)
    names = ("Triton", "penchant_rank_0_0", "penchant_rank_0_1")
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", "print(flush=True); input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in names
    ]
    for program in programs:
        assert program.stdout is not None
        program.stdout.readline()  # Until then, it may wait for the disk.
    children = [psutil.Process(program.pid) for program in programs]
    yield ServerOfChildren(dict(zip(names, children, strict=True)))
    for program in programs:
        program.kill()
        program.communicate()


def signs_of(server: ServerOfChildren) -> VitalSigns:
    return VitalSigns(server, STUCK_S)  # type: ignore[arg-type]  # Children stand in.


def kind(signs: VitalSigns, seconds: float) -> str:
    fault = signs.look(seconds)
    return fault.kind if fault else ""


def test_a_server_in_order_has_no_fault(server: ServerOfChildren) -> None:
    assert signs_of(server).look(0.25) is None


def test_a_server_that_ended_is_a_fault(server: ServerOfChildren) -> None:
    signs = signs_of(server)
    server.returncode = -6
    assert kind(signs, 0.25) == "triton_ended"


def test_a_dead_model_is_a_fault_unless_another_took_its_place(server: ServerOfChildren) -> None:
    signs = signs_of(server)
    dead = server.children["penchant_rank_0_1"]
    dead.kill()
    while dead.status() != psutil.STATUS_ZOMBIE:
        pass
    assert kind(signs, 0.25) == "model_died"
    server.children["penchant_rank_0_1"] = server.children["penchant_rank_0_0"]
    assert kind(signs, 0.25) == ""


def test_models_that_end_in_a_shutdown_are_not_blamed(server: ServerOfChildren) -> None:
    signs = signs_of(server)
    dead = server.children["penchant_rank_0_1"]
    dead.kill()
    while dead.status() != psutil.STATUS_ZOMBIE:
        pass
    server.told = True
    assert kind(signs, 0.25) == "triton_ended"


def test_a_stopped_process_is_a_fault_only_after_its_time(server: ServerOfChildren) -> None:
    signs = signs_of(server)
    stopped = server.children["penchant_rank_0_0"]
    stopped.suspend()
    while stopped.status() != psutil.STATUS_STOPPED:
        pass
    looks = int(STOPPED_S / 0.5)
    assert [kind(signs, 0.5) for _ in range(looks + 1)] == [""] * looks + ["stopped"]


def test_the_pause_of_the_watcher_itself_counts_for_nothing(server: ServerOfChildren) -> None:
    signs = signs_of(server)
    stopped = server.children["penchant_rank_0_0"]
    stopped.suspend()
    while stopped.status() != psutil.STATUS_STOPPED:
        pass
    assert kind(signs, 3600.0) == ""
    stopped.resume()
    while stopped.status() == psutil.STATUS_STOPPED:
        pass
    assert kind(signs, 3600.0) == ""


def test_an_idle_model_that_is_silent_is_stuck_and_a_busy_one_has_more_time(
    server: ServerOfChildren, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs = signs_of(server)
    monkeypatch.setattr(Silence, "silent_s", STUCK_S - 1)
    assert kind(signs, 0.25) == ""
    monkeypatch.setattr(Silence, "silent_s", STUCK_S + 1)
    assert kind(signs, 0.25) == "silent"
    monkeypatch.setattr(signs, "_waits_for_disk", lambda model: True)
    assert kind(signs, 0.25) == ""
    monkeypatch.setattr(Silence, "silent_s", 11 * STUCK_S)
    assert kind(signs, 0.25) == "silent"
