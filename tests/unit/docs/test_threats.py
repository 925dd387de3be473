"""Every test that the page on security names is there."""

from __future__ import annotations

import re

from tests.support.handwritten import ROOT


def test_each_threat_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    there = set(re.findall(r"def (test_\w+)", "\n".join(sources)))
    assert len(named) > 15
    assert named - there == set()
