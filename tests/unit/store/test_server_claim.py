"""Claims of servers on a store: one server at a time, however the one before has ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.store import server_claim
from penchant.store.server_claim import ServerClaim, claiming_servers, this_server

PROGRAM = """
import sys
from pathlib import Path
from penchant.store.server_claim import ServerClaim, this_server
claim = ServerClaim(Path(sys.argv[1]), this_server(int(sys.argv[2])))
print("claimed", flush=True)
input()
claim.close()
"""


@contextmanager
def claimed_elsewhere(directory: Path, server_pid: int) -> Iterator[subprocess.Popen[str]]:
    """A process of the server with this process id that holds its claim."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(directory), str(server_pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "claimed\n"
            yield process
        finally:
            process.kill()


@contextmanager
def another_program() -> Iterator[int]:
    """The process id of a program that does nothing, and ends with the block."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()  # Else a test that fails would wait for it.


@pytest.fixture
def another_server() -> Iterator[int]:
    """The process id of a program that stands for a server."""
    with another_program() as pid:
        yield pid


def test_a_second_server_is_refused_by_name(tmp_path: Path, another_server: int) -> None:
    with claimed_elsewhere(tmp_path, another_server):
        assert [server.pid for server in claiming_servers(tmp_path)] == [another_server]
        with pytest.raises(StoreUnavailable, match=rf"second .* process {another_server} on "):
            ServerClaim(tmp_path, this_server(os.getpid()))


def test_the_models_of_one_server_share_its_claim(tmp_path: Path) -> None:
    with claimed_elsewhere(tmp_path, os.getpid()):
        claim = ServerClaim(tmp_path, this_server(os.getpid()))
        assert [server.pid for server in claiming_servers(tmp_path)] == [os.getpid()]
        claim.close()
        assert claiming_servers(tmp_path), "the other model still holds it"
    assert claiming_servers(tmp_path) == []


def test_a_killed_server_leaves_no_claim(tmp_path: Path, another_server: int) -> None:
    with claimed_elsewhere(tmp_path, another_server) as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    ServerClaim(tmp_path, this_server(os.getpid())).close()
    assert not list(tmp_path.glob("server-*"))


def test_the_last_processes_of_a_server_that_ended_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_claim, "DYING_S", 60.0)  # The machine may be busy.
    with (
        subprocess.Popen(["sleep", "600"]) as server,
        claimed_elsewhere(tmp_path, server.pid) as stub,
    ):
        server.kill()
        server.wait()
        # As Triton's stubs do, which notice a moment later that their server is gone.
        with subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -9 {stub.pid}"]):
            ServerClaim(tmp_path, this_server(os.getpid())).close()


def test_a_claim_of_an_unreadable_file_is_still_a_claim(
    tmp_path: Path, another_server: int
) -> None:
    with claimed_elsewhere(tmp_path, another_server):
        (path,) = tmp_path.glob("server-*")
        assert json.loads(path.read_text())["pid"] == another_server
        path.write_bytes(b"")
        with pytest.raises(StoreUnavailable, match="another server writes to it"):
            ServerClaim(tmp_path, this_server(os.getpid()))
