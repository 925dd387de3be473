"""One real Triton for all tests of a run that only talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.training.export import ExportReport
from penchant_sdk import Penchant

TIMEOUT_S = 60.0
"""Of each call: the machine that runs the tests may be busy."""


@pytest.fixture(scope="session")
def encoder(minilm_report: ExportReport) -> Path:
    """Its directory."""
    return minilm_report.directory


@pytest.fixture(scope="session")
def server_in(encoder: Path) -> Callable[[Path], Server]:
    """Describes a server whose store and files are in a directory."""

    def describe(directory: Path) -> Server:
        settings = gather(f"lmdb:{directory / 'store'}", encoder)
        return Server(directory / "server", settings, instances={"penchant_rank": 2})

    return describe


@pytest.fixture(scope="session")
def server(
    server_in: Callable[[Path], Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that all tests share: each makes users and items of its own, and none kills it."""
    with server_in(tmp_path_factory.mktemp("shared")) as running:
        yield running
    assert "Traceback" not in running.log_path.read_text(errors="replace")


@pytest.fixture(scope="session")
def penchant(server: Server) -> Iterator[Penchant]:
    """A client of the shared server."""
    with Penchant(server.target, timeout_s=TIMEOUT_S) as client:
        yield client
