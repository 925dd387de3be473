"""The mark of tests that need MovieLens, which comes with a package."""

from __future__ import annotations

from importlib import metadata

import pytest

from penchant.logs.datasets.movielens import PACKAGE


def _installed() -> bool:
    try:
        metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return False
    return True


needs_movielens = pytest.mark.skipif(not _installed(), reason=f"{PACKAGE} is not installed")
