"""The lock on a server's directory: what a damaged or an old note may lead to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penchant.launch.errors import LaunchError
from penchant.launch.model_python import STUB
from penchant.launch.processes import stubs_in_group
from penchant.launch.server_lock import NAME, ServerLock
from penchant.system.process_identity import boot_id, identity
from tests.support.serve_process import wait_until


@pytest.fixture
def others_triton() -> Iterator[int]:
    """The leader of a group with a process that looks as a model of Triton's does."""
    code = (
        "import subprocess, sys; "
        f"subprocess.Popen([{STUB!r}, '-c', 'input()'], executable=sys.executable, stdin=0); "
        "input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, process_group=0
    ) as leader:
        wait_until(lambda: bool(stubs_in_group(leader.pid)), "its model")
        try:
            yield leader.pid
        finally:
            leader.communicate()


@pytest.mark.parametrize("start", ["earlier", "another boot"])
def test_a_note_whose_process_number_is_another_programs_ends_nobody(
    start: str, tmp_path: Path, others_triton: int
) -> None:
    number, ticks, boot = identity(others_triton).split(" ")
    name = f"{number} 1 {boot}" if start == "earlier" else f"{number} {ticks} yesterday"
    assert boot == boot_id()
    (tmp_path / NAME).write_text(json.dumps({"owner": name, "triton": name}))
    lock = ServerLock(tmp_path)
    assert lock.acquire() == []
    lock.release()
    assert identity(others_triton)


@pytest.mark.parametrize(
    "note", [b"", b"[]", b"null", b"7", b'"x"', b"{", b"\xff\xfe", b'{"triton": "x y"}', bytes(64)]
)
def test_a_damaged_note_keeps_nobody_from_starting(note: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(note)
    lock = ServerLock(tmp_path)
    assert lock.acquire() == []
    lock.release()


def test_who_comes_while_another_starts_is_told_by_name(tmp_path: Path) -> None:
    first, second = ServerLock(tmp_path), ServerLock(tmp_path)
    first.acquire()  # Its Triton is not up, nor noted.
    with pytest.raises(LaunchError, match=f"in use by a server of process {os.getpid()};"):
        second.acquire()
    first.release()
