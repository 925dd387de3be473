"""The parts of the GPU's benchmark, rehearsed over doubles; each says what is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.gpu import torch_engine
from benchmarks.gpu.__main__ import PARTS, main, run_part
from benchmarks.gpu.bench import GpuBench
from penchant.encoder.cuda import Cuda
from penchant.encoder.source import default_source
from penchant.encoder.tensorrt_bindings import find_tensorrt
from tests.support.fake_gpu import FakeRuntime

if TYPE_CHECKING:
    from penchant.training.export import ExportReport


@pytest.fixture
def bench(minilm_report: ExportReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GpuBench:
    """PyTorch on the CPU in the place of an engine, over a doubled CUDA of a card of 2022."""
    runtime = FakeRuntime("9.0")
    run = torch_engine.TorchContext.execute_async_v3

    def queued(self: torch_engine.TorchContext, stream: int) -> bool:
        return not any(runtime._queue(lambda: (run(self, stream), None)[1]))

    monkeypatch.setattr(torch_engine.TorchContext, "execute_async_v3", queued)
    return GpuBench(
        minilm_report.directory,
        default_source(),
        tmp_path,
        find_tensorrt(),
        Cuda(runtime),
        device="cpu",
        quick=True,
    )


def test_pytorch_in_an_engines_place_gives_the_vectors_of_the_graph(bench: GpuBench) -> None:
    row = run_part("vectors", bench).rows[0]
    assert isinstance(row["least cosine"], float)
    assert row["least cosine"] > 0.9999
    assert "no engine was built from this graph" in str(row["why no engine"])


def test_each_way_to_encode_is_timed_or_says_how_it_failed(bench: GpuBench) -> None:
    result = run_part("speed", bench)
    assert {row["way"] for row in result.rows} == {
        "PyTorch in the engine's place",
        "PyTorch, eager",
    }
    assert all(row["texts/s"] for row in result.rows)


def test_what_a_card_has_not_is_said_and_costs_no_other_part(bench: GpuBench) -> None:
    nothing = replace(bench, cuda=None, trt=None)
    for part in set(PARTS) - {"card", "server"}:
        assert "not installed" in run_part(part, nothing).skipped
    no_driver = replace(bench, cuda=Cuda(FakeRuntime("9.0", devices=0)))
    assert run_part("speed", no_driver).skipped == "there is no GPU with a driver"
    broken = replace(bench, encoder=Path("nowhere"))
    assert run_part("vectors", broken).failed.startswith("ConfigError: encoder: nowhere")


def test_the_tables_are_written_after_each_part(
    minilm_report: ExportReport, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--encoder", str(minilm_report.directory), "--work", str(tmp_path / "work")]
    wanted = ["--part", "card", "--part", "engines", "--output", str(tmp_path / "out")]
    assert main([*given, *wanted]) == 0
    told = json.loads((tmp_path / "out/gpu.json").read_text())
    assert [one["part"] for one in told] == ["card", "engines"]
    assert "## card" in (tmp_path / "out/gpu.md").read_text()
    assert "Next:" in capsys.readouterr().out
