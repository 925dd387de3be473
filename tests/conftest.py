"""What all tests share: Hypothesis' settings, and the default encoder, which is exported once."""

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
    """MiniLM as `penchant export` writes it, and what the export says of it."""
    # Only here: the core is tested without PyTorch too.
    from penchant.encoder.source import default_source
    from penchant.training.export import export

    return export(default_source(), tmp_path_factory.mktemp("export") / "minilm")
