"""Every supported architecture is trained, exported, and served as trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BartConfig, BartModel

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.stream import Stream
from penchant.training.finetuning.finetune import finetune
from penchant.training.finetuning.trainable_encoder import read_encoder
from tests.support.exporting import export
from tests.support.tiny_encoders import DECODERS, KINDS, write_encoder
from tests.unit.training.finetuning.conftest import WORDS, request_of
from tests.unit.training.finetuning.test_finetune import SETTINGS, TEXTS, gap, vectors_of

SHORT = dataclasses.replace(SETTINGS, steps=40, learning_rate=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_trained_and_served_as_trained(kind: str, stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = write_encoder(
        tmp_path / "source", WORDS, kind=kind, layers=1, initializer_range=0.05
    )  # The exporter takes seconds a layer.
    finetune(request_of(stream, source, tmp_path / "tuned", SHORT))
    assert gap(vectors_of(tmp_path / "tuned")) > gap(vectors_of(source)) + 0.5
    report = export(tmp_path / "tuned", tmp_path / "onnx", dimensions=16, max_tokens=32)
    assert report.max_difference < 1e-4
    assert report.settings.pooling == ("lasttoken" if kind in DECODERS else "mean")
    served = OnnxEncoder.load(tmp_path / "onnx", threads=1).encode(TEXTS)
    np.testing.assert_allclose(served, vectors_of(tmp_path / "tuned"), atol=1e-4)


@pytest.mark.parametrize("kind", ["bert", "t5", "gpt2", "llama"])
def test_a_plain_directory_is_exported_as_the_trainer_reads_it(kind: str, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    source = write_encoder(
        tmp_path / "source", WORDS, kind=kind, layers=1, initializer_range=0.05
    )  # The exporter takes seconds a layer.
    export(source, tmp_path / "onnx", dimensions=32, max_tokens=32)
    served = OnnxEncoder.load(tmp_path / "onnx", threads=1).encode(TEXTS)
    np.testing.assert_allclose(served, vectors_of(source), atol=1e-4)


def test_an_encoder_that_needs_its_decoder_is_refused(tmp_path: Path) -> None:
    write_encoder(tmp_path, WORDS)
    size: dict[str, Any] = {
        "encoder_ffn_dim": 8,
        "decoder_ffn_dim": 8,
        "encoder_layers": 1,
        "decoder_layers": 1,
    }
    heads: dict[str, Any] = {"encoder_attention_heads": 1, "decoder_attention_heads": 1}
    BartModel(BartConfig(vocab_size=50, d_model=8, **size, **heads)).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"an encoder with a decoder \(bart\)"):
        read_encoder(tmp_path)
    with pytest.raises(ConfigError, match=r"an encoder with a decoder \(bart\)"):
        export(tmp_path, tmp_path / "onnx", dimensions=4, max_tokens=16)
