"""Encoders for the tests: MiniLM, and a tiny graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from penchant.encoder.bundle import GRAPH, TOKENIZER, EncoderSettings, write_bundle
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.export import ExportReport

WORDS = {"[UNK]": 0, "zero": 1, "one": 2, "two": 3, "nan": 4}


@pytest.fixture(scope="session")
def minilm(minilm_report: ExportReport) -> OnnxEncoder:
    return OnnxEncoder.load(minilm_report.directory, threads=1)


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Path]:
    """Writes an encoder whose graph sums rows of a table; its tokenizer knows four words."""

    def write(
        table: list[list[float]] | None = None, name: str = "toy", output: str = "embedding"
    ) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        rows = table or [[0, 0, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0], [float("nan"), 0, 0]]
        onnx.save(_graph(rows, output), directory / GRAPH)
        tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = Whitespace()
        tokenizer.save(str(directory / TOKENIZER))
        write_bundle(directory, EncoderSettings(3, 4, 0, "", "mean", "truncate", "toy"))
        return directory

    return write


def _graph(table: list[list[float]], output: str) -> onnx.ModelProto:
    values = [value for row in table for value in row]
    constants = [
        helper.make_tensor("table", TensorProto.FLOAT, [len(table), 3], values),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["states"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["states", "column"], ["known"]),
        helper.make_node("ReduceSum", ["known", "axis"], [output], keepdims=0),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", 3])]
    graph = helper.make_graph(nodes, "toy", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
