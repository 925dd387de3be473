"""Settings: every parameter is checked when the model starts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penchant.config import Config, catalog_directory, parse
from penchant.domain.errors import ConfigError
from penchant.domain.rewards import Signal
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import DEFAULT_SIGNALS

LEAST = {"store": "lmdb:/data", "encoder": "/encoder"}


def test_what_is_not_named_has_its_default() -> None:
    assert parse(LEAST) == Config(store="lmdb:/data", encoder=Path("/encoder"))


def test_every_parameter_is_read() -> None:
    config = parse(
        LEAST
        | {
            "catalog_dir": "/catalog",
            "store_map_bytes": "1048576",
            "encoder_threads": "4",
            "offset_half_life_s": "60.5",
            "offset_prior_impressions": "10",
            "signals": '{"wave": {"reward": 0.5, "weight": 2}}',
            "window_events": "16",
            "half_life_s": "1e6",
            "EXECUTION_ENV_PATH": "/anything",
        }
    )
    assert config == Config(
        store="lmdb:/data",
        encoder=Path("/encoder"),
        catalog_dir=Path("/catalog"),
        store_map_bytes=1048576,
        encoder_threads=4,
        offset_half_life_s=60.5,
        offset_prior_impressions=10.0,
        signals={"wave": Signal(0.5, 2)},
        fold=FoldSettings(window_events=16, half_life_s=1e6),
    )


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(FoldSettings)])
def test_each_setting_of_the_fold_is_a_parameter(name: str) -> None:
    special = {
        "updater": ("ogd", "ogd"),
        "prototype_sharing": ("1", 1),
        "signal_weights": ('{"view": 0.25}', '{"view": 0.25}'),
    }
    text, value = special.get(name, ("7", 7))
    assert getattr(parse(LEAST | {name: text}).fold, name) == value


@pytest.mark.parametrize("name", ["store", "encoder"])
def test_what_has_no_default_must_be_there(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: missing; set it in the model's config.pbtxt"):
        parse({key: value for key, value in LEAST.items() if key != name})


@pytest.mark.parametrize("name", ["", "rigde", "Store", "fold", "limits"])
def test_an_unknown_name_is_an_error_that_lists_the_known(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: unknown setting, expected one of: .*ridge"):
        parse(LEAST | {name: "1"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("store_map_bytes", "1e9"),
        ("store_map_bytes", "0"),
        ("store_map_bytes", "-1"),
        ("encoder_threads", "two"),
        ("encoder_threads", "0"),
        ("offset_half_life_s", ""),
        ("offset_half_life_s", "0"),
        ("offset_half_life_s", "nan"),
        ("offset_prior_impressions", "0"),
        ("offset_prior_impressions", "-1"),
        ("offset_prior_impressions", "inf"),
        ("window_events", "1.5"),
        ("window_events", "0"),
        ("ridge", "nan"),
        ("ridge", "0"),
        ("half_life_s", "-1"),
        ("time_bucket_s", "0.5"),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_it(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: got .*, expected "):
        parse(LEAST | {name: text})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        '"like"',
        '{"like": 1}',
        '{"like": {}}',
        '{"like": {"reward": 2}}',
        '{"like": {"reward": "1"}}',
        '{"like": {"reward": 1, "colour": 2}}',
        '{"rating": {"reward": 0, "neutral": 2, "scale": "3"}}',
        '{"like": {"reward": NaN}}',
        "{}",
    ],
)
def test_a_signal_table_that_is_none_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^signals: "):
        parse(LEAST | {"signals": text})


def test_a_signal_table_replaces_the_whole_default() -> None:
    assert parse(LEAST).signals == DEFAULT_SIGNALS
    assert set(parse(LEAST | {"signals": '{"like": {"reward": 1}}'}).signals) == {"like"}


def test_the_catalogs_files_are_beside_the_data_unless_said_otherwise() -> None:
    assert catalog_directory(parse(LEAST)) == Path("/data/catalog")
    assert catalog_directory(parse(LEAST | {"catalog_dir": "/c"})) == Path("/c")
    assert catalog_directory(parse(LEAST | {"store": "memory:"})) is None


def test_a_share_that_each_server_would_look_for_in_its_own_directory_is_refused() -> None:
    given = {"store": "valkey://cache/shop", "encoder": "/e"}
    for share in ("s3://bucket/shop", "file:///mnt/shared", "/mnt/shared"):
        assert parse({**given, "catalog_share": share}).catalog_share == share
    with pytest.raises(ConfigError, match="catalog_share: got 'shared', expected a URL or an abs"):
        parse({**given, "catalog_share": "shared"})
