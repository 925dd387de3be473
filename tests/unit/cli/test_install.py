"""`penchant install` writes what it says, twice alike, and prints how to start Triton."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.launch import layout
from penchant.launch.model_config import parse_config
from tests.support.command import run
from tests.unit.launch.standin import write_sources


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sources = write_sources(tmp_path)
    monkeypatch.setattr(layout, "find_sources", lambda: sources)
    places = ["--backends", str(tmp_path / "backends"), "--models", str(tmp_path / "models")]
    return ["install", *places, "--store", "lmdb:/data", "--encoder", "/encoder"]


def test_it_lays_out_the_parts_and_prints_the_flags(arguments: list[str], tmp_path: Path) -> None:
    outputs = []
    for _ in range(2):
        result = run([*arguments, "--rank-instances", "3"])
        assert result.exit_code == 0, result.output
        outputs.append(result.output)
    assert outputs[0] == outputs[1]
    assert f"--model-repository={tmp_path / 'models'} " in outputs[0]
    assert f"--backend-directory={tmp_path / 'backends'} " in outputs[0]
    assert "penchant[backend]" in outputs[0]
    assert "numpy there: 1.26.4" in outputs[0]
    assert "has no python/ yet" in outputs[0]
    assert (tmp_path / "backends" / "penchant" / "model.py").is_file()
    config = parse_config((tmp_path / "models" / "penchant_rank" / "config.pbtxt").read_text())
    assert config.parameters["store"].string_value == "lmdb:/data"
    assert [group.count for group in config.instance_group] == [3]
    assert "EXECUTION_ENV_PATH" not in config.parameters


def test_an_environment_becomes_a_parameter(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "backends" / "python").mkdir(parents=True)
    result = run([*arguments, "--python", "/venv"])
    assert result.exit_code == 0, result.output
    assert "has no python/ yet" not in result.output
    for path in (tmp_path / "models").glob("*/config.pbtxt"):
        parameters = parse_config(path.read_text()).parameters
        assert parameters["EXECUTION_ENV_PATH"].string_value == "/venv"


def test_nothing_is_written_where_a_setting_is_wrong(arguments: list[str], tmp_path: Path) -> None:
    result = run([*arguments, "--set", "rigde=1"])
    assert result.exit_code != 0
    assert "rigde" in result.stderr
    assert not (tmp_path / "backends").exists()
    assert not (tmp_path / "models").exists()
