from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.bundle import GRAPH, TOKENIZER, read_bundle, write_bundle
from penchant.encoder.onnx import OnnxEncoder

Toy = Callable[..., Path]


def test_no_texts(toy: Toy) -> None:
    assert OnnxEncoder.load(toy(), threads=1).encode([]).shape == (0, 3)


def test_order_is_kept(toy: Toy) -> None:
    texts = ["two two two", "one", "two", "one one"]
    vectors = OnnxEncoder.load(toy(), threads=1).encode(texts)
    np.testing.assert_allclose(vectors, [[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]])


def test_texts_are_cut(toy: Toy) -> None:
    vectors = OnnxEncoder.load(toy(), threads=1).encode(["one one one one two two"])
    np.testing.assert_allclose(vectors, [[1, 0, 0]])


@pytest.mark.parametrize("text", ["", "  ", "zero", "unknown words", "\ud800"])
def test_nothing_known_is_still_a_unit_vector(toy: Toy, text: str) -> None:
    vectors = OnnxEncoder.load(toy(), threads=1).encode([text, "two"])
    np.testing.assert_allclose(vectors, [[1, 0, 0], [0, 1, 0]])


def test_a_value_that_is_not_finite_is_an_error(toy: Toy) -> None:
    encoder = OnnxEncoder.load(toy(), threads=1)
    with pytest.raises(EncoderUnavailable, match="not finite"):
        encoder.encode(["one", "nan"])


def test_a_failing_graph_is_an_error_without_internals(toy: Toy) -> None:
    encoder = OnnxEncoder.load(toy([[1.0, 0.0, 0.0]]), threads=1)  # a table of one row
    with pytest.raises(EncoderUnavailable, match=r"^encoder: ONNX Runtime failed$"):
        encoder.encode(["two"])


def test_threads_share_an_encoder(toy: Toy) -> None:
    encoder = OnnxEncoder.load(toy(), threads=1)
    texts = ["one two", "two", "one"] * 20
    expected = encoder.encode(texts)
    with ThreadPoolExecutor(4) as pool:
        for vectors in pool.map(encoder.encode, [texts] * 16):
            np.testing.assert_array_equal(vectors, expected)


def test_threads_must_be_positive(toy: Toy) -> None:
    with pytest.raises(ConfigError, match="encoder_threads: got 0, expected at least 1"):
        OnnxEncoder.load(toy(), threads=0)


def test_another_output_is_refused(toy: Toy) -> None:
    with pytest.raises(ConfigError, match="embedding"):
        OnnxEncoder.load(toy(output="vectors"), threads=1)


@pytest.mark.parametrize("name", [GRAPH, TOKENIZER])
def test_a_file_of_another_kind_is_refused(toy: Toy, name: str) -> None:
    directory = toy()
    settings = read_bundle(directory).settings
    (directory / name).write_text("no such thing")
    write_bundle(directory, settings)
    with pytest.raises(ConfigError, match=name):
        OnnxEncoder.load(directory, threads=1)
