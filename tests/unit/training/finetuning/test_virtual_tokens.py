"""Prefix and prompt tuning: virtual tokens learn, the encoder's own weights stay fixed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.logs.stream import Stream
from penchant.training.finetuning.finetune import finetune
from penchant.training.finetuning.trainable_encoder import encode, read_encoder, transformer_of
from penchant.training.virtual_tokens import VIRTUAL_TOKENS
from tests.support.exporting import export
from tests.support.tiny_encoders import write_encoder
from tests.unit.training.finetuning.conftest import WORDS, request_of
from tests.unit.training.finetuning.test_finetune import SETTINGS, TEXTS, gap, vectors_of

VIRTUAL = dataclasses.replace(SETTINGS, virtual_tokens=5, steps=40, learning_rate=3e-2)
METHODS_OF = [
    ("prompt", "bert"),
    ("prompt", "t5"),
    ("prompt", "llama"),
    ("prefix", "bert"),
    ("prefix", "roberta"),
    ("prefix", "llama"),
]


@pytest.mark.parametrize(("method", "kind"), METHODS_OF)
def test_only_virtual_tokens_learn_and_they_are_served_as_trained(
    method: str, kind: str, stream: Stream, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    source = write_encoder(tmp_path / "source", WORDS, kind=kind, initializer_range=0.05)
    settings = dataclasses.replace(VIRTUAL, method=method)
    report = finetune(request_of(stream, source, tmp_path / "tuned", settings))
    assert report.trainable < 0.2 * report.weights
    body, before = (transformer_of(read_encoder(path)) for path in (tmp_path / "tuned", source))
    weights = body.state_dict()
    assert all(torch.equal(weight, weights[name]) for name, weight in before.state_dict().items())
    vectors = vectors_of(tmp_path / "tuned")
    with_zeros = read_encoder(tmp_path / "tuned")
    for weight in transformer_of(with_zeros).get_submodule(VIRTUAL_TOKENS).parameters():
        weight.data.zero_()
    assert np.abs(encode(with_zeros, TEXTS) - vectors).max() > 1e-2
    exported = export(tmp_path / "tuned", tmp_path / "onnx", dimensions=16, max_tokens=32)
    assert exported.max_difference < 1e-4
    served = OnnxEncoder.load(tmp_path / "onnx", threads=1).encode(TEXTS)
    np.testing.assert_allclose(served, vectors, atol=1e-4)


@pytest.mark.parametrize("method", ["prompt", "prefix"])
def test_they_learn_which_items_are_liked_together_and_resume(
    method: str, stream: Stream, tmp_path: Path
) -> None:
    (tmp_path / "source").mkdir()
    source = write_encoder(tmp_path / "source", WORDS, kind="llama", initializer_range=0.05)
    settings = dataclasses.replace(VIRTUAL, method=method, steps=80)
    finetune(request_of(stream, source, tmp_path / "at once", settings))
    start, tuned = (read_encoder(path) for path in (source, tmp_path / "at once"))
    assert gap(encode(tuned, TEXTS)) > gap(encode(start, TEXTS)) + 0.1
    request = request_of(stream, source, tmp_path / "in two", settings)
    assert finetune(dataclasses.replace(request, max_minutes=0.0)).trained.stopped_by == "time"
    finetune(request)
    np.testing.assert_array_equal(vectors_of(tmp_path / "in two"), vectors_of(tmp_path / "at once"))


@pytest.mark.parametrize("kind", ["mpnet", "distilbert", "t5"])
def test_an_encoder_that_takes_no_keys_and_values_has_no_prefix(
    kind: str, stream: Stream, tmp_path: Path
) -> None:
    write_encoder(tmp_path, WORDS, kind=kind)
    settings = dataclasses.replace(VIRTUAL, method="prefix")
    with pytest.raises(ConfigError, match="takes no past_key_values; expected prompt, lora"):
        finetune(request_of(stream, tmp_path, tmp_path / "out", settings))


def test_a_later_round_needs_the_same_virtual_tokens(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(VIRTUAL, method="prompt", steps=10)
    finetune(request_of(stream, source, tmp_path / "first", settings))
    finetune(request_of(stream, tmp_path / "first", tmp_path / "second", settings))
    first, second = (
        load_file(tmp_path / name / "model.safetensors")[f"{VIRTUAL_TOKENS}.embedding.weight"]
        for name in ("first", "second")
    )
    assert first.shape == second.shape == (5, 32)
    other = dataclasses.replace(settings, virtual_tokens=4)
    with pytest.raises(ConfigError, match="got prompt, 4, expected what the source has: prompt, 5"):
        finetune(request_of(stream, tmp_path / "first", tmp_path / "third", other))


def test_texts_leave_room_for_them(stream: Stream, source: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(VIRTUAL, method="prompt", virtual_tokens=30, steps=2)
    finetune(request_of(stream, source, tmp_path / "out", settings))
    long = " ".join(["film"] * 100)
    assert np.isfinite(encode(read_encoder(tmp_path / "out"), [long])).all()
    with pytest.raises(ConfigError, match="max_tokens: got 40, expected 3 to the source's 34"):
        export(tmp_path / "out", tmp_path / "onnx", dimensions=8, max_tokens=40)
    export(tmp_path / "out", tmp_path / "onnx", dimensions=8, max_tokens=34)


def test_missing_virtual_tokens_are_an_error(source: Path, tmp_path: Path) -> None:
    config = json.loads((source / "config.json").read_text())
    for file in source.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config[VIRTUAL_TOKENS] = {"method": "prompt", "count": 3}
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(load_file(source / "model.safetensors"), tmp_path / "model.safetensors")
    with pytest.raises(ConfigError, match="lacks the virtual tokens that its config"):
        read_encoder(tmp_path)
