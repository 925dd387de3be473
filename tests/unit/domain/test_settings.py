"""The settings of the fold, and their ranges."""

from __future__ import annotations

import dataclasses
import math

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.settings import UPDATER_NAMES, FoldSettings
from penchant.domain.updaters import UPDATERS

POSITIVE = [
    "ridge",
    "half_life_events",
    "half_life_s",
    "fast_half_life_events",
    "near_half_life_events",
    "opening_half_life_events",
    "repeat_half_life_s",
    "learning_rate",
    "initial_accumulator",
]
NOT_NEGATIVE = [
    "catalog_weight",
    "slow_weight",
    "fast_weight",
    "query_weight",
    "offset_weight",
    "tail_offset_weight",
    "tail_lift",
    "opening_offset_weight",
    "near_weight",
    "repeat_weight",
    "repeat_pause_s",
    "repeat_basket_weight",
    "context_halvings",
]
FROM_ONE = ["time_bucket_s", "window_events", "prototypes"]
SHARES = ["prototype_sharing"]


def test_every_setting_has_a_range() -> None:
    named = {field.name for field in dataclasses.fields(FoldSettings)}
    assert named == {*POSITIVE, *NOT_NEGATIVE, *FROM_ONE, *SHARES, "updater", "signal_weights"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in POSITIVE for value in (0.0, -1.0, math.nan, math.inf)),
        *((name, value) for name in NOT_NEGATIVE for value in (-0.1, math.nan, math.inf)),
        *((name, value) for name in FROM_ONE for value in (0, -1, math.nan, math.inf)),
        *((name, value) for name in SHARES for value in (-0.1, 1.1, math.nan)),
        ("window_events", 65537),
        ("prototypes", 17),
    ],
)
def test_a_setting_out_of_range_is_a_config_error(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name}: got {value}, expected "):
        FoldSettings(**{name: value})  # type: ignore[arg-type]


def test_an_unknown_updater_is_a_config_error_that_lists_the_names() -> None:
    with pytest.raises(ConfigError, match="updater: got 'rigde', expected one of: ridge, logistic"):
        FoldSettings(updater="rigde")


def test_every_updater_that_may_be_named_is_there() -> None:
    assert tuple(UPDATERS) == UPDATER_NAMES


def test_each_updater_gives_another_digest() -> None:
    assert len({FoldSettings(updater=name).digest() for name in UPDATERS}) == len(UPDATERS)


@pytest.mark.parametrize("name", [*POSITIVE, *NOT_NEGATIVE, *FROM_ONE])
def test_any_other_setting_gives_another_digest(name: str) -> None:
    default = FoldSettings()
    other = dataclasses.replace(default, **{name: getattr(default, name) + 1})
    assert other.digest() != default.digest()


def test_equal_settings_have_equal_digests_in_every_process() -> None:
    assert FoldSettings().digest() == FoldSettings().digest()
    assert 0 <= FoldSettings().digest() < 2**64
