"""Shared by all tests: the settings of Hypothesis, and the default encoder, exported once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from penchant.training.export import ExportReport

# The same examples every time.
settings.register_profile("penchant", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("penchant")


@pytest.fixture(scope="session")
def minilm_report(tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    """The export of MiniLM."""
    # Only here: the core is tested without PyTorch too.
    from penchant.training.export import ExportRequest, export_encoder

    return export_encoder(ExportRequest(output=tmp_path_factory.mktemp("export") / "minilm"))


@pytest.fixture
def foreign_clients_direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets tritonclient and urllib reach this machine past a proxy, which our own clients do."""
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
