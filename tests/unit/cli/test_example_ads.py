"""The ads example also runs on the fake, as in anybody's own tests."""

from __future__ import annotations

import pytest

from examples.ads import evening
from penchant_sdk.testing import FakePenchant


def test_the_example_keeps_caps_targeting_and_blocked_categories(
    capsys: pytest.CaptureFixture[str],
) -> None:
    evening(FakePenchant(signals="default,ads"))
    said = capsys.readouterr().out
    assert said.count("page ") == 4
    assert said.endswith("ben, after hiding these: wine\n")
