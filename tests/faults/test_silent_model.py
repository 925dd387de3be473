"""A model that hangs, alive and idle, is noticed by its silence, and mended."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from penchant.launch import Server, probe
from penchant.launch.layout import Sources
from penchant.launch.server_history import ServerHistory
from penchant.launch.supervise import Supervisor, WatchEvents
from penchant.launch.vital_signs import Fault
from tests.unit.launch.standin import write_sources

pytestmark = pytest.mark.server

STUCK_AFTER_S = 5.0


class Back(Exception):
    """The server is up again: ends the watch."""


def hanging(directory: Path) -> Sources:
    """Models that never answer as long as a file named `hang` is there."""
    sources = write_sources(directory)
    text = sources.model.read_text()
    wait = f"while pathlib.Path({str(directory / 'hang')!r}).exists(): time.sleep(0.1)"
    text = text.replace("        field = Call", f"        {wait}\n        field = Call")
    sources.model.write_text("import pathlib, time\n" + text)
    return sources


def test_a_model_without_an_answer_and_without_work_is_started_again(tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    server = Server(tmp_path / "server", {}, sources=hanging(tmp_path))
    faults: list[Fault] = []

    def fault(found: Fault, wait_s: float) -> None:
        faults.append(found)
        hang.unlink()

    def back(again: Server, took_s: float) -> None:
        raise Back

    supervisor = Supervisor(server, WatchEvents(print, fault, back), STUCK_AFTER_S)
    supervisor.start()
    try:
        hang.touch()
        started = time.monotonic()
        with pytest.raises(Back):
            supervisor.watch()
        assert time.monotonic() - started > STUCK_AFTER_S
        assert all(result.alive for result in probe.ask(server.target, timeout_s=30.0))
    finally:
        server.stop()
    assert [found.kind for found in faults] == ["silent"]
    assert "gave no answer for" in faults[0].text
    kinds = [entry.kind for entry in ServerHistory(server.directory).entries()]
    # A start may have cleaned up after other servers of this machine.
    assert [kind for kind in kinds if kind != "cleaned"] == ["started", "silent", "started"]
