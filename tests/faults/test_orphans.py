"""`kill -9` of `penchant serve` leaves nothing running, and the next start nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from penchant.launch import Server, ports, shared_memory
from penchant.launch.errors import TritonAborted
from penchant.launch.model_parameters import gather
from penchant.launch.model_python import STUB
from penchant.system.process_identity import identity
from tests.support.serve_process import PATIENCE_S, serving, started, wait_until
from tests.support.word_encoder import write_word_encoder

pytestmark = pytest.mark.server


def gone(processes: list[psutil.Process]) -> bool:
    return not any(map(lives, processes))


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # It ended between the two looks.
        return False


def regions_of(family: list[psutil.Process]) -> set[Path]:
    return {
        Path(mapping.path)
        for process in family
        for mapping in process.memory_maps()
        if mapping.path.startswith(str(shared_memory.PLACE))
    }


def test_kill_9_of_serve_ends_triton_and_the_models_and_the_next_start_cleans_up(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as first:
        family = first.family()
        left = regions_of(family)
        assert left
        first.process.kill()
        wait_until(lambda: gone(family), "the end of all")
    with serving(tmp_path):
        assert [path for path in left if path.exists()] == []


def test_the_models_end_with_a_triton_that_somebody_else_started(tmp_path: Path) -> None:
    encoder = write_word_encoder(tmp_path / "encoder", ["red"], dimensions=4, seed=1)
    server = Server(tmp_path / "server", gather(f"lmdb:{tmp_path / 'store'}", encoder))
    with server:
        stubs = [psutil.Process(pid) for pid in server.pids().values()]
        triton = server.pid
        assert triton is not None
        hung = psutil.Process(server.pids()["penchant_users_0_0"])
        time.sleep(2.0)  # For the request to Linux, which cannot be seen from here.
        hung.suspend()  # Nothing of its own can end it now.
        os.kill(triton, signal.SIGKILL)
        wait_until(lambda: psutil.Process(triton).status() == psutil.STATUS_ZOMBIE, "its death")
        # Nobody collects the status of the dead Triton: to `kill(pid, 0)` it is still there.
        wait_until(lambda: gone(stubs), "the end of the models")


def test_the_models_end_with_a_triton_that_is_killed_while_they_load(tmp_path: Path) -> None:
    with started(tmp_path) as serve:

        def loading() -> list[psutil.Process]:
            try:
                found = psutil.Process(serve.process.pid).children(recursive=True)
                return [child for child in found if STUB in " ".join(child.cmdline())]
            except psutil.NoSuchProcess:
                return []

        wait_until(lambda: len(loading()) > 2, "models that load")
        stubs = loading()
        triton = serve.triton()
        serve.process.kill()
        wait_until(lambda: gone([triton, *stubs]), "the end of all")


def test_an_orphan_of_the_same_directory_is_recognised_and_ended(tmp_path: Path) -> None:
    # A kernel without PR_SET_PDEATHSIG would leave this: a Triton whose owner is dead.
    with serving(tmp_path) as first:
        noted, family = (first.files / "server.pid").read_text(), first.family()
        first.process.kill()
        wait_until(lambda: gone(family), "the end of all")  # They hold the store until then.
    orphan = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, process_group=0
    )
    try:
        content = json.loads(noted)
        content["triton"] = identity(orphan.pid)
        (first.files / "server.pid").write_text(json.dumps(content))
        with serving(tmp_path) as second:
            assert orphan.wait(PATIENCE_S) == -signal.SIGKILL
            assert any(f"ended process {orphan.pid}" in line for line in second.lines)
    finally:
        orphan.kill()
        orphan.communicate()


def test_a_second_serve_in_the_same_directory_is_refused_by_name(tmp_path: Path) -> None:
    with serving(tmp_path) as first, started(tmp_path) as second:
        assert second.process.wait(PATIENCE_S) == 1
        wait_until(lambda: bool(second.lines), "an error")
        assert f"is in use by a server of process {first.process.pid}" in second.lines[0]


def test_serve_works_in_a_directory_with_any_ascii_name(tmp_path: Path) -> None:
    place = tmp_path / 'it\'s "my" films #1; $HOME & (c)'
    place.mkdir()
    with serving(place) as serve, serve.client() as penchant:
        assert len(penchant.rank("ann", k=3).items) == 3
        scratch = {Path(part.partition("=")[2]) for part in serve.triton().cmdline()[1:3]}
        serve.process.terminate()
        serve.process.wait(PATIENCE_S)
    assert not any(path.exists() for path in scratch)
    shutil.rmtree(place)


def test_a_directory_that_is_not_ascii_is_refused_at_once_by_name(tmp_path: Path) -> None:
    place = tmp_path / "películas"
    place.mkdir()
    with started(place) as serve:
        assert serve.process.wait(PATIENCE_S) == 1
        wait_until(lambda: bool(serve.lines), "an error")
        assert serve.lines[0].startswith("penchant: store: got ")
        assert "expected ASCII only" in serve.lines[0]


def test_free_ports_that_another_program_takes_first_are_chosen_again(tmp_path: Path) -> None:
    encoder = write_word_encoder(tmp_path / "encoder", ["red"], dimensions=4, seed=1)
    settings = gather(f"lmdb:{tmp_path / 'store'}", encoder)
    server = Server(tmp_path / "server", settings)
    chosen = ports.choose(ports.FREE)
    with (
        pytest.MonkeyPatch.context() as patch,
        socket.create_server(("127.0.0.1", chosen.grpc)),
    ):
        patch.setattr("penchant.launch.server.choose", lambda wanted, hosts: chosen)
        with pytest.raises(TritonAborted):
            server.start()
    with server:
        assert server.ports != chosen
