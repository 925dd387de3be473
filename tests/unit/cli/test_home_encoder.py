"""`penchant home-encoder`: an existing encoder is kept, and a checkpoint becomes an adapter."""

from __future__ import annotations

from pathlib import Path

from penchant.encoder.bundle import MANIFEST
from tests.support.command import run


def test_an_existing_encoder_is_kept_and_the_next_command_is_named(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{}")
    result = run(["home-encoder", "--output", tmp_path])
    assert result.exit_code == 0
    assert f"penchant serve --encoder {tmp_path}" in result.output
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]


def test_a_directory_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    result = run(["home-encoder", "--output", tmp_path / "out", "--extract", tmp_path])
    assert result.exit_code == 1
    assert f"extract: {tmp_path} holds no trained.safetensors" in result.stderr
    assert not (tmp_path / "out").exists()
