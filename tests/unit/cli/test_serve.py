"""`penchant serve` as a process: up, told to stop, and with its server killed under it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penchant.launch import probe
from tests.support.released import write_words
from tests.support.serve_process import triton_of
from tests.unit.launch.standin import write_sources

# The stand-in's models have no Penchant in them, so their sources are put in place of ours.
PROGRAM = """
import sys
from pathlib import Path
from penchant.cli.main import main
from penchant.launch import layout

root = Path("sources").resolve()
sources = layout.Sources(root / "model.py", root / "model_repository", layout.find_packages())
layout.find_sources = lambda: sources
main()
"""


@contextmanager
def serving(directory: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command in a directory, and the lines `name value` of what it printed when it was up."""
    write_sources(directory)
    write_words(directory / ".penchant" / "encoder", "words")
    ports = ["--grpc-port=0", "--http-port=0", "--metrics-port=0", "--rank-instances=1"]
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", *ports],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().partition(" ")
            said[name] = value.strip()
            if line.startswith("Ctrl-C"):
                break
        try:
            yield process, said
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


@pytest.mark.server
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_where_it_is_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with serving(tmp_path) as (process, said):
        assert all(result.alive for result in probe.ask(said["gRPC"], timeout_s=30.0))
        assert said["store"] == f"lmdb:{tmp_path / '.penchant' / 'store'}"
        assert Path(said["log"]).is_file()
        server = triton_of(process.pid)
        process.send_signal(number)
        output, errors = process.communicate()
    assert (process.returncode, output, errors) == (0, "Stopping.\n", "")
    assert not server.is_running()


@pytest.mark.server
def test_it_starts_its_server_again_when_it_dies(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, said):
        assert process.stdout is not None
        triton_of(process.pid).kill()
        assert "Triton ended by itself (by SIGKILL)" in process.stdout.readline()
        assert any(f"up again on {said['gRPC']}" in line for line in process.stdout)
        assert all(result.alive for result in probe.ask(said["gRPC"], timeout_s=30.0))


@pytest.mark.server
def test_a_server_that_never_comes_up_ends_with_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / ".penchant").mkdir()
    encoder = tmp_path / "encoder"
    write_words(encoder, "words")
    arguments = ["serve", "--encoder", str(encoder), "--grpc-port=0", "--http-port=0"]
    arguments += ["--metrics-port=0", "--triton-arg=--no-such-option"]
    with subprocess.Popen(
        [sys.executable, "-m", "penchant.cli.main", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    assert errors.startswith("penchant: Triton ended at its start (with status 1):")
