"""Shared by all tests: the settings of Hypothesis, the order, the default encoder exported once."""

from __future__ import annotations

import fcntl
import logging
import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from penchant.training.export import ExportReport

# The same examples every time, of each law that does not name a number itself.
settings.register_profile(
    "penchant",
    max_examples=int(os.environ.get("TEST_EXAMPLES", "50")),
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # On a busy machine everything is.
)
settings.load_profile("penchant")


LONG = (
    "tests/unit/training/finetuning",
    "tests/unit/sdk/home/test_safety.py",
    "tests/unit/training",
    "tests/unit/demos",
    "tests/unit/cli/test_loop.py",
    "tests/faults",
)
"""Files that take a minute or more, and folders with such; the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long files first: the last one of a run side by side leaves the others idle."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))

    items.sort(key=place)


@pytest.fixture(autouse=True)
def messages_are_heard() -> None:
    """A command that an earlier test ran in this process has silenced the SDK's warnings."""
    logging.getLogger("penchant_sdk").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def minilm_report(tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    """The export of MiniLM, made once for all processes of a run, and of `make test`."""
    # Only here: the core is tested without PyTorch too.
    from penchant.training.export import ExportReport, ExportRequest, export_encoder

    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    if "TEST_EXPORT_DIR" in os.environ:
        place = Path(os.environ["TEST_EXPORT_DIR"])
        place.mkdir(parents=True, exist_ok=True)
    note = place / "minilm.pickle"
    with (place / "minilm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Until the file is closed.
        if not note.exists():
            report = export_encoder(ExportRequest(output=place / "minilm"))
            note.write_bytes(pickle.dumps(report))
    found = pickle.loads(note.read_bytes())
    assert isinstance(found, ExportReport)
    return found


@pytest.fixture
def foreign_clients_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets tritonclient and urllib reach this machine past a proxy, which our own clients do."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
