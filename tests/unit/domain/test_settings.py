"""The fold's numbers."""

from __future__ import annotations

import dataclasses
import math

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.settings import FoldSettings

POSITIVE = ["ridge", "half_life_events", "half_life_s", "fast_half_life_events"]
NOT_NEGATIVE = ["catalog_weight", "slow_weight", "fast_weight", "query_weight", "offset_weight"]
FROM_ONE = ["time_bucket_s", "window_events"]


def test_every_setting_has_a_range() -> None:
    named = {field.name for field in dataclasses.fields(FoldSettings)}
    assert named == {*POSITIVE, *NOT_NEGATIVE, *FROM_ONE}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in POSITIVE for value in (0.0, -1.0, math.nan, math.inf)),
        *((name, value) for name in NOT_NEGATIVE for value in (-0.1, math.nan, math.inf)),
        *((name, value) for name in FROM_ONE for value in (0, -1, math.nan, math.inf)),
        ("window_events", 65537),
    ],
)
def test_a_setting_out_of_range_is_a_config_error(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name}: got {value}, expected "):
        FoldSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*POSITIVE, *NOT_NEGATIVE, *FROM_ONE])
def test_any_other_setting_gives_another_digest(name: str) -> None:
    default = FoldSettings()
    other = dataclasses.replace(default, **{name: getattr(default, name) + 1})
    assert other.digest() != default.digest()


def test_equal_settings_have_equal_digests_in_every_process() -> None:
    assert FoldSettings().digest() == FoldSettings().digest()
    assert 0 <= FoldSettings().digest() < 2**64
