"""Quantization of MiniLM, and of an encoder of two products, one of which int8 serves badly."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from penchant.domain.errors import ConfigError
from penchant.encoder.base import Encoder
from penchant.encoder.bundle import GRAPH, read_bundle
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.compress import quantize as module
from penchant.training.compress.encoder_comparison import (
    EncoderComparison,
    LossBudgetExceeded,
    compare_encoders,
)
from penchant.training.compress.quantize import (
    METHODS,
    QUANTIZE_NOTE,
    QuantizeReport,
    QuantizeRequest,
    quantize,
)
from penchant.training.export import ExportReport
from penchant.training.validation_rankings import ValidationRankings
from tests.support.word_encoder import write_word_encoder
from tests.unit.training.compress.planted import HARSH

Side = tuple[Encoder, Path]
ONE_SCALE = ("dynamic", "static")
"""Methods with one scale for all activations of a product."""


def products(directory: Path) -> dict[str, tuple[str, str]]:
    """The kind of each node that multiplies by weights, and their stored type, by node name."""
    graph = onnx.load(directory / GRAPH).graph
    weights = {one.name: numpy_helper.to_array(one).dtype.name for one in graph.initializer}
    unpacked = {
        node.output[0]: weights[node.input[0]]
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in weights
    }
    return {
        node.name: (node.op_type, (weights | unpacked)[node.input[1]])
        for node in graph.node
        if node.op_type.startswith("MatMul")
    }


def quantized(
    encoder: Path, output: Path, rankings: ValidationRankings, method: str, max_loss: float
) -> QuantizeReport:
    return quantize(
        QuantizeRequest(
            source=encoder, output=output, method=method, max_loss=max_loss, rankings=rankings
        )
    )


@pytest.fixture(scope="module", params=ONE_SCALE)
def made(
    request: pytest.FixtureRequest,
    outlier: Path,
    rankings: ValidationRankings,
    tmp_path_factory: pytest.TempPathFactory,
) -> QuantizeReport:
    output = tmp_path_factory.mktemp("made") / "int8"
    return quantized(outlier, output, rankings, request.param, 0.01)


def test_only_the_most_harmful_product_stays_in_fp32_if_that_is_enough(
    made: QuantizeReport,
) -> None:
    assert made.kept == (HARSH,)
    assert made.products == 2
    assert made.change.loss <= 0.01


def test_kept_products_are_fp32_in_the_graph_and_the_others_are_not(made: QuantizeReport) -> None:
    kinds = products(made.directory)
    assert kinds.pop(HARSH) == ("MatMul", "float32")
    (other,) = kinds.values()
    assert other[1] == "int8"


def test_the_note_holds_the_report_and_the_directory_serves(
    made: QuantizeReport, outlier: Path
) -> None:
    note = json.loads((made.directory / QUANTIZE_NOTE).read_text())
    assert note["method"] == made.method
    assert note["kept"] == [HARSH]
    assert note["source"] == read_bundle(outlier).version
    assert note["change"]["loss"] == made.change.loss
    assert made.version == read_bundle(made.directory).version
    vectors = [
        OnnxEncoder.load(one, threads=1).encode(["shoes word7"])
        for one in (outlier, made.directory)
    ]
    assert (vectors[0] * vectors[1]).sum() == pytest.approx(made.change.cosine_mean, abs=0.05)


def test_with_all_products_in_int8_more_is_lost(
    outlier: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    loose = quantized(outlier, tmp_path / "loose", rankings, "dynamic", 0.99)
    assert loose.kept == ()
    assert loose.change.loss > 0.01  # The budget below.
    assert "float32" not in {stored for _, stored in products(loose.directory).values()}


def test_scales_by_block_need_no_product_in_fp32(
    outlier: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    made = quantized(outlier, tmp_path / "out", rankings, "blockwise", 0.01)
    assert made.kept == ()
    assert {kind for kind, _ in products(made.directory).values()} == {"MatMulNBits"}


@pytest.mark.parametrize("method", METHODS)
def test_equal_inputs_give_equal_bytes(
    method: str, outlier: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    first, second = (
        quantized(outlier, tmp_path / name, rankings, method, 0.99) for name in ("one", "two")
    )
    assert first.version == second.version
    graphs = [(one.directory / GRAPH).read_bytes() for one in (first, second)]
    assert graphs[0] == graphs[1]


def lossy(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    """Makes each comparison find the next of these losses."""

    def worse(rankings: ValidationRankings, before: Side, after: Side) -> EncoderComparison:
        return dataclasses.replace(compare_encoders(rankings, before, after), loss=losses.pop(0))

    monkeypatch.setattr(module, "compare_encoders", worse)


@pytest.mark.parametrize("method", ONE_SCALE)
def test_a_budget_of_0_refuses_a_lossy_one_and_leaves_nothing(
    method: str,
    outlier: Path,
    rankings: ValidationRankings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "KEPT", (0,))
    with pytest.raises(LossBudgetExceeded, match=r"% lost, expected at most 0\.0%"):
        quantized(outlier, tmp_path / "out", rankings, method, 0.0)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_keeps_the_existing_encoder(
    outlier: Path, rankings: ValidationRankings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    shutil.copytree(outlier, output)
    before = read_bundle(output).version
    monkeypatch.setattr(module, "KEPT", (0,))
    with pytest.raises(LossBudgetExceeded):
        quantized(outlier, output, rankings, "dynamic", 0.0)
    assert read_bundle(output).version == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_refusal_names_the_smallest_loss_tried(
    outlier: Path, rankings: ValidationRankings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy(monkeypatch, [0.2, 0.4])
    with pytest.raises(LossBudgetExceeded, match=r"20\.0% lost"):
        quantized(outlier, tmp_path / "out", rankings, "dynamic", 0.1)


def test_an_existing_encoder_is_replaced(
    outlier: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    shutil.copytree(outlier, output)
    made = quantized(outlier, output, rankings, "blockwise", 0.99)
    assert read_bundle(output).version == made.version
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_wrong_arguments_are_refused_and_nothing_is_written(
    outlier: Path, rankings: ValidationRankings, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter").write_text("mine")
    wordy = write_word_encoder(tmp_path / "wordy", ["a b"], 4, seed=0)
    for source, output, method, most, words in (
        (outlier, tmp_path / "out", "int4", 0.01, "method: got 'int4', expected one of"),
        (outlier, other, "dynamic", 0.01, "holds something other than an encoder"),
        (outlier, other / "letter", "dynamic", 0.01, "holds something other than an encoder"),
        (outlier, tmp_path / "out", "dynamic", 1.0, "max_loss: got 1.0, expected 0 to"),
        (wordy, tmp_path / "out", "dynamic", 0.01, "has no product of weights"),
        (tmp_path / "none", tmp_path / "out", "dynamic", 0.01, "none is not a directory"),
    ):
        with pytest.raises(ConfigError, match=words):
            quantized(source, output, rankings, method, most)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "wordy"]
    assert (other / "letter").read_text() == "mine"


def test_blockwise_minilm_is_two_thirds_the_size_and_nearly_the_same(
    minilm_report: ExportReport, rankings: ValidationRankings, tmp_path: Path
) -> None:
    made = quantized(minilm_report.directory, tmp_path / "out", rankings, "blockwise", 0.5)
    assert made.products >= 36
    assert made.change.cosine_mean > 0.99
    assert made.change.after.size_bytes < 0.7 * made.change.before.size_bytes
    assert np.isfinite([made.change.low, made.change.high]).all()
    assert made.kept == ()
