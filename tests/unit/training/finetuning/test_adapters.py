"""Low-rank adapters train few weights, and merging them changes no vector."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.logs.stream import Stream
from penchant.training.finetuning.finetune import finetune
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.trainable_encoder import (
    add_head,
    choose_weights,
    embed,
    encode,
    merge_adapters,
    read_encoder,
    trainable_parameters,
    transformer_of,
)
from penchant.training.resumption import TRAINED_WEIGHTS
from tests.unit.training.finetuning.conftest import HIDDEN, request_of
from tests.unit.training.finetuning.test_finetune import SETTINGS, TEXTS, gap, vectors_of

LORA = dataclasses.replace(
    SETTINGS, method="lora", lora_rank=4, steps=160, learning_rate=5e-3, head_learning_rate=1e-2
)


def test_adapters_and_projection_are_at_most_a_twentieth_of_minilm() -> None:
    model = read_encoder(default_source())
    add_head(model, 64, np.random.default_rng(0).normal(size=(500, 384)).astype(np.float32))
    choose_weights(model, FinetuneSettings(method="lora"))
    trained, total = trainable_parameters(model)
    assert 0 < trained <= 0.05 * total


def test_the_merged_encoder_equals_the_one_with_adapters(source: Path) -> None:
    model = read_encoder(source)
    add_head(model, 16, embed(model, TEXTS))
    plain = encode(model, TEXTS)
    choose_weights(model, LORA)
    generator = torch.Generator().manual_seed(0)
    for weight in transformer_of(model).parameters():
        if weight.requires_grad:  # As if trained.
            weight.data = 0.2 * torch.randn(weight.shape, generator=generator)
    adapted = encode(model, TEXTS)
    assert np.abs(adapted - plain).max() > 0.01
    merge_adapters(model)
    np.testing.assert_allclose(encode(model, TEXTS), adapted, atol=1e-5)
    assert not [name for name, _ in model.named_parameters() if "lora" in name]


def test_adapters_learn_what_is_liked_together(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    report = finetune(request_of(stream, source, tmp_path / "out", LORA))
    assert gap(vectors_of(tmp_path / "out")) > 0.2
    assert report.trainable < report.weights
    assert not list((tmp_path / "out").glob("adapter*"))


def test_a_training_of_adapters_resumes_too(stream: Stream, source: Path, tmp_path: Path) -> None:
    settings = dataclasses.replace(LORA, steps=20)
    finetune(request_of(stream, source, tmp_path / "at once", settings))
    request = request_of(stream, source, tmp_path / "in two", settings)
    assert finetune(dataclasses.replace(request, max_minutes=0.0)).trained.stopped_by == "time"
    finetune(request)
    np.testing.assert_array_equal(vectors_of(tmp_path / "in two"), vectors_of(tmp_path / "at once"))


def test_frozen_layers_and_embeddings_are_not_trained(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, frozen_layers=1, warm_up_fraction=0.0)
    request = request_of(stream, source, tmp_path / "out", settings)
    finetune(dataclasses.replace(request, max_minutes=0.0))
    trained = load_file(request.checkpoints / "checkpoint-1" / TRAINED_WEIGHTS)
    assert not [name for name in trained if "embeddings." in name or "layer.0." in name]
    before = transformer_of(read_encoder(source)).state_dict()
    weight = "encoder.layer.1.output.dense.weight"
    (name,) = [name for name in trained if name.endswith(weight)]
    assert not torch.equal(trained[name], before[weight])


def test_more_frozen_layers_than_there_are_is_an_error(source: Path) -> None:
    model = read_encoder(source)
    add_head(model, 16, embed(model, TEXTS))
    with pytest.raises(ConfigError, match="frozen_layers: got 3, expected 0 to 2"):
        choose_weights(model, dataclasses.replace(SETTINGS, frozen_layers=3))


def test_a_width_that_the_source_does_not_have_is_an_error(source: Path) -> None:
    model = read_encoder(source)
    with pytest.raises(ConfigError, match="dimensions: got 33 as the largest, expected 1 to 32"):
        add_head(model, 33, embed(model, TEXTS))


def test_a_projection_alone_takes_no_step_of_the_encoder(
    stream: Stream, source: Path, tmp_path: Path
) -> None:
    settings = dataclasses.replace(SETTINGS, steps=0, head_steps=200)
    report = finetune(request_of(stream, source, tmp_path / "out", settings))
    assert report.trained.steps == 0
    assert report.trainable == 16 * HIDDEN + 16
    assert gap(vectors_of(tmp_path / "out")) > 0.1
