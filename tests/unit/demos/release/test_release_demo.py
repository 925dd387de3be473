"""The release demo's commands are shown as they are run, and its tables name every phase."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from demos.release.release_commands import run_command
from demos.release.release_tables import quality_table
from penchant.domain.errors import ConfigError
from penchant.report.terminal import Terminal


def test_a_command_is_shown_without_the_scratch_directory(tmp_path: Path) -> None:
    console = Terminal(file=io.StringIO(), width=200)
    seconds = run_command(console, tmp_path, "export", "--help", str(tmp_path / "x"))
    assert seconds > 0
    assert isinstance(console.file, io.StringIO)
    assert "✓ penchant export --help DEMO/x" in console.file.getvalue()


def test_a_command_that_fails_ends_the_demo_with_its_output(tmp_path: Path) -> None:
    console = Terminal(file=io.StringIO(), width=200)
    store = f"lmdb:{tmp_path / 'none'}"
    with pytest.raises(ConfigError, match=r"`penchant rebuild --store lmdb:DEMO/none` ended with"):
        run_command(console, tmp_path, "rebuild", "--store", store)
    assert isinstance(console.file, io.StringIO)
    assert "store:" in console.file.getvalue()


def test_the_quality_table_has_a_row_for_each_metric() -> None:
    finding = {"baseline": 0.1, "candidate": 0.2, "rankings": 1234}
    console = Terminal(file=io.StringIO(), width=80)
    console.print(quality_table({"NDCG@10": finding, "recall@10": finding}))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert [line for line in lines if line[:1] in (["NDCG@10"], ["recall@10"])] == [
        ["NDCG@10", "0.1000", "0.2000", "1,234"],
        ["recall@10", "0.1000", "0.2000", "1,234"],
    ]
