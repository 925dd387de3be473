"""The real Prometheus and its promtool, where this machine has them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.handwritten import ROOT

FETCHED = ROOT / "build" / "prometheus" / "usr" / "bin"
"""Where `make prometheus` puts Debian's package."""


def prometheus_tool(name: str) -> Path:
    """The path of `promtool` or `prometheus`; skips the test where there is none."""
    fetched = FETCHED / name
    found = str(fetched) if fetched.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: `make prometheus` fetches Debian's, without root")
    return Path(found)
