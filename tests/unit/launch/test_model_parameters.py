"""The options of a command become checked parameters with absolute paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import gather


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert gather("lmdb:films", Path("enc"), ["ridge=0.5"]) == {
        "store": f"lmdb:{tmp_path / 'films'}",
        "encoder": str(tmp_path / "enc"),
        "ridge": "0.5",
    }


def test_the_defaults_are_below_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LaunchError, match=r"penchant export --output \.penchant/encoder"):
        gather(None, None)
    encoder = tmp_path / ".penchant" / "encoder"
    encoder.mkdir(parents=True)
    store = f"lmdb:{tmp_path / '.penchant' / 'store'}"
    assert gather(None, None) == {"store": store, "encoder": str(encoder)}


def test_a_value_may_hold_an_equals_sign() -> None:
    signals = '{"like": {"reward": 1.0}}'
    given = gather("lmdb:/s", Path("/e"), [f"signals={signals}", "catalog_dir=/a=b"])
    assert (given["signals"], given["catalog_dir"]) == (signals, "/a=b")


@pytest.mark.parametrize("setting", ["ridge", "=1", ""])
def test_a_setting_without_a_name_or_value_is_refused(setting: str) -> None:
    with pytest.raises(LaunchError, match="expected key=value"):
        gather("lmdb:/s", Path("/e"), [setting])


@pytest.mark.parametrize("setting", ["rigde=1", "ridge=much"])
def test_a_setting_that_the_models_would_refuse_is_refused_here(setting: str) -> None:
    with pytest.raises(ConfigError):
        gather("lmdb:/s", Path("/e"), [setting])


def test_a_store_that_models_cannot_share_is_refused() -> None:
    with pytest.raises(LaunchError, match="memory:"):
        gather("memory:", Path("/e"))


def test_a_path_that_models_cannot_open_is_refused() -> None:
    with pytest.raises(LaunchError, match="encoder: got '/é'"):
        gather("lmdb:/s", Path("/é"))
