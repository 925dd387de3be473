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
    return ["install", "--create", *places, "--store", "lmdb:/data", "--encoder", "/encoder"]


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


def test_it_writes_nothing_beside_a_model_that_is_somebody_elses(
    arguments: list[str], tmp_path: Path
) -> None:
    other = tmp_path / "models" / "penchant_rank" / "config.pbtxt"
    other.parent.mkdir(parents=True)
    other.write_text('backend: "python"')
    result = run(arguments)
    assert result.exit_code == 1
    assert f"models: {other.parent} exists and is not Penchant's; move it away" in result.stderr
    assert other.read_text() == 'backend: "python"'
    assert not (tmp_path / "backends").exists()


@pytest.mark.parametrize("name", ["backends", "models"])
def test_a_file_in_place_of_a_directory_is_refused_before_anything_is_written(
    arguments: list[str], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("a file")
    before = sorted(path.name for path in tmp_path.iterdir())
    result = run(arguments)
    assert result.exit_code == 1
    assert f"{name}: {tmp_path / name} is no directory" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == before


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


def test_a_directory_that_is_not_there_is_made_only_if_that_is_asked_for(
    arguments: list[str], tmp_path: Path
) -> None:
    asked = [word for word in arguments if word != "--create"]
    result = run(asked)
    assert result.exit_code == 1
    assert f"backends: {tmp_path / 'backends'} is not a directory" in result.stderr
    assert "--create" in result.stderr
    (tmp_path / "backends").mkdir()
    assert "models: " in run(asked).stderr
    assert not (tmp_path / "backends" / "penchant").exists()
    assert run(arguments).exit_code == 0
    assert run(asked).exit_code == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--store", "redis://localhost"), "store: got 'redis://localhost', expected lmdb:"),
        (("--store", "lmdb:"), "store: got 'lmdb:', expected lmdb:"),
        (("--set", "ridge=0"), "ridge: got 0.0, expected more than 0"),
        (("--set", "encoder_runtime=onxx"), "encoder_runtime: got 'onxx', expected one of"),
        (("--set", "signals=adds"), "signals: got 'adds', expected JSON or some of"),
    ],
)
@pytest.mark.parametrize("command", ["install", "serve", "refresh", "publish", "releases"])
def test_a_store_or_setting_that_no_server_could_use_is_refused_by_every_command(
    arguments: list[str], tmp_path: Path, command: str, wrong: tuple[str, str], said: str
) -> None:
    given = {
        "install": arguments,
        "publish": ["publish", "--candidate", "c", "--encoder", str(tmp_path)],
    }.get(command, [command])
    result = run([*given, *wrong])
    assert (result.exit_code, said in result.stderr) == (1, True), result.output
    assert not (tmp_path / "backends").exists()


def test_a_directory_that_is_no_encoder_is_refused_where_it_can_be_seen(
    arguments: list[str], tmp_path: Path
) -> None:
    given = [*arguments, "--encoder", str(tmp_path)]
    result = run(given)
    assert result.exit_code == 1
    assert "encoder.json is missing; `penchant export` makes such a directory" in result.stderr
    served = run(["serve", "--store", f"lmdb:{tmp_path / 's'}", "--encoder", str(tmp_path)])
    assert served.exit_code == 1
    assert "encoder.json is missing" in served.stderr
    assert not (tmp_path / "s").exists()


def test_it_asks_for_tokens_if_it_is_given_keys(arguments: list[str], tmp_path: Path) -> None:
    forwarding = ("--grpc-header-forward-pattern=authorization", "--http-header-forward-pattern")
    without = run(arguments).output
    assert "install with --token-keys" in without
    assert not any(argument in without for argument in forwarding)
    result = run([*arguments, "--token-keys", "/etc/keys.json", "--token-audience", "films"])
    assert result.exit_code == 0, result.output
    assert all(argument in result.output for argument in forwarding)
    config = parse_config((tmp_path / "models" / "penchant_users" / "config.pbtxt").read_text())
    assert config.parameters["token_keys"].string_value == "/etc/keys.json"
    assert config.parameters["token_audience"].string_value == "films"
