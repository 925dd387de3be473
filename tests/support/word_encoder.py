"""A real encoder directory, written in milliseconds: a text is the sum of its words' vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from penchant.encoder.bundle import GRAPH, TOKENIZER, EncoderSettings, write_bundle

MAX_TOKENS = 64
WIDTH = 1024
"""Of the layers that make an encoder slow: each multiplies a token by a square matrix."""


def write_word_encoder(
    directory: Path, texts: Iterable[str], dimensions: int, seed: int, *, layers: int = 0
) -> Path:
    """Knows the words of these texts, each by a seeded random vector; returns the directory.

    With `layers`, each token costs 2 million multiplications a layer, which change nothing.
    """
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    split = Whitespace().pre_tokenize_str
    words = sorted({word for text in texts for word, _ in split(text)})
    vocabulary = {"[UNK]": 0, **{word: number for number, word in enumerate(words, start=1)}}
    tokenizer.model = WordLevel(vocabulary, unk_token="[UNK]")
    directory.mkdir(parents=True)
    tokenizer.save(str(directory / TOKENIZER))
    random = np.random.default_rng(seed)
    # Whole numbers, since their sums are exact: a vector does not depend on the batch.
    table = random.integers(-8, 9, (len(vocabulary), dimensions)).astype(np.float32)
    onnx.save(_graph(table, layers), directory / GRAPH)
    write_bundle(
        directory, EncoderSettings(dimensions, MAX_TOKENS, 0, "", "mean", "truncate", "words")
    )
    return directory


def _graph(
    table: np.ndarray[tuple[int, int], np.dtype[np.float32]], layers: int
) -> onnx.ModelProto:
    constants = [
        numpy_helper.from_array(table, "table"),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [2]),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["states"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["states", "column"], ["known"]),
        helper.make_node("ReduceSum", ["known", "axis"], ["words"], keepdims=0),
        *_idle_work(constants, table.shape[1], layers),
        helper.make_node("LpNormalization", ["sum"], ["embedding"], axis=1, p=2),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    shape: list[str | int | None] = ["batch", table.shape[1]]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, shape)]
    graph = helper.make_graph(nodes, "words", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def _idle_work(
    constants: list[onnx.TensorProto], dimensions: int, layers: int
) -> list[onnx.NodeProto]:
    """Layers over `known` whose sum is too small to change the sums of whole numbers, `words`."""
    if not layers:
        return [helper.make_node("Identity", ["words"], ["sum"])]
    random = np.random.default_rng(0)

    def matrix(name: str, rows: int, columns: int) -> str:
        values = random.normal(scale=rows**-0.5, size=(rows, columns)).astype(np.float32)
        constants.append(numpy_helper.from_array(values, name))
        return name

    square = matrix("square", WIDTH, WIDTH)
    matrices = [matrix("wider", dimensions, WIDTH), *[square] * layers]
    matrices.append(matrix("narrower", WIDTH, dimensions))
    constants.append(numpy_helper.from_array(np.array(1e-12, np.float32), "nothing"))
    names = ["known", *(f"layer {number}" for number in range(len(matrices)))]
    return [
        *(
            helper.make_node("MatMul", [before, factor], [after])
            for before, factor, after in zip(names, matrices, names[1:], strict=False)
        ),
        helper.make_node("ReduceSum", [names[-1], "axis"], ["work"], keepdims=0),
        helper.make_node("Mul", ["work", "nothing"], ["tiny"]),
        helper.make_node("Add", ["words", "tiny"], ["sum"]),
    ]
