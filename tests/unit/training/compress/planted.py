"""An encoder with one product that int8 represents badly, and a log that shows the loss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from penchant.domain.types import Matrix
from penchant.encoder.bundle import GRAPH, TOKENIZER, EncoderSettings, write_bundle
from tests.support.shop_log import write_csv
from tests.unit.evaluation.gates.planted import EACH, KINDS, planted_log

WIDE, OWN = 64, 16
"""Number of values for an item's kind, and for its own word."""
WIDTH = WIDE + OWN
OUTLIER = 2000.0
"""With one scale for all, it makes a kind's values round to 0, but not a word's own."""
MILD, HARSH = "mild", "harsh"
"""The graph's products in order; the second one meets the outlier."""


def write_outlier_encoder(directory: Path) -> Path:
    """Writes an encoder that knows kinds and words; returns the directory."""
    words = [*KINDS, *(f"word{number}" for number in range(EACH * len(KINDS)))]
    vocabulary = {"[UNK]": 0, **{word: number for number, word in enumerate(words, start=1)}}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    directory.mkdir(parents=True)
    tokenizer.save(str(directory / TOKENIZER))
    onnx.save(_graph(_table(len(vocabulary))), directory / GRAPH)
    write_bundle(directory, EncoderSettings(WIDTH, 16, 0, "", "mean", "truncate", "outlier"))
    return directory


def _table(words: int) -> Matrix:
    table = np.zeros((words, WIDTH), np.float32)
    each = WIDE // len(KINDS)
    for kind in range(len(KINDS)):
        table[1 + kind, kind * each : (kind + 1) * each] = 3.0
    for row in range(1 + len(KINDS), words):
        table[row, WIDE + row % OWN] = 12.0
    return table


def _graph(table: Matrix) -> onnx.ModelProto:
    bias = np.zeros(WIDTH + 1, np.float32)
    bias[-1] = OUTLIER
    weights = {
        "table": table,
        "widen": np.eye(WIDTH, WIDTH + 1, dtype=np.float32),
        "bias": bias,
        "narrow": np.eye(WIDTH + 1, WIDTH, dtype=np.float32),
        "axis": np.array([1]),
        "last": np.array([2]),
    }
    make = helper.make_node
    nodes = [
        make("Gather", ["table", "input_ids"], ["states"]),
        make("MatMul", ["states", "widen"], ["wide"], MILD),
        make("Add", ["wide", "bias"], ["loud"]),
        make("MatMul", ["loud", "narrow"], ["narrowed"], HARSH),
        make("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        make("Unsqueeze", ["mask", "last"], ["column"]),
        make("Mul", ["narrowed", "column"], ["known"]),
        make("ReduceSum", ["known", "axis"], ["sum"], keepdims=0),
        make("LpNormalization", ["sum"], ["embedding"], axis=1, p=2),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", WIDTH])]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "outlier", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def write_log(directory: Path) -> None:
    """Writes items.csv and events.csv of `planted_log`."""
    log = planted_log()
    items = [(item.id, item.text) for item in log.items]
    write_csv(directory / "items.csv", ("item_id", "text"), items)
    heading = ("user_id", "item_id", "timestamp")
    rows = [(one.user, one.item, one.occurred_at_us // 1_000_000) for one in log.events]
    write_csv(directory / "events.csv", heading, rows)
