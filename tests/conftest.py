"""Settings that all tests share: Hypothesis runs the same examples every time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("penchant", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("penchant")
