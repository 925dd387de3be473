"""`penchant home-encoder`: one that is there stays."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from penchant.cli.home_encoder import home_encoder
from penchant.encoder.bundle import MANIFEST

APP = typer.Typer(add_completion=False)
APP.command()(home_encoder)


def test_an_encoder_that_is_there_stays_and_what_comes_next_is_said(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{}")
    result = CliRunner().invoke(APP, ["--output", str(tmp_path)])
    assert result.exit_code == 0
    assert f"penchant serve --encoder {tmp_path}" in result.output
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
