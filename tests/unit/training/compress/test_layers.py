"""Layers are dropped in every supported architecture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from penchant.domain.errors import ConfigError
from penchant.training.compress.layers import drop_layers
from penchant.training.finetuning.trainable_encoder import (
    encode,
    layers_of,
    read_encoder,
    transformer_of,
)
from penchant.training.virtual_tokens import PREFIX, PROMPT, add_virtual_tokens
from tests.support.tiny_encoders import KINDS, write_encoder
from tests.unit.training.compress.conftest import PIECES

TEXTS = ["shoes word12", "coats word7", "wine", "toys toys word40 word3"]


def make_useless(model: SentenceTransformer, place: int) -> None:
    """Makes a layer of a BERT pass on its input, by output weights of 0."""
    layer: Any = layers_of(model)[place]
    with torch.no_grad():
        for dense in (layer.attention.output.dense, layer.output.dense):
            dense.weight.zero_()
            dense.bias.zero_()


@pytest.mark.parametrize("useless", [0, 1, 2])
def test_the_layer_that_adds_nothing_goes_first(useless: int, source: Path) -> None:
    model = read_encoder(source)
    make_useless(model, useless)
    before = encode(model, TEXTS)
    kept = drop_layers(model, 2, lambda: float((before * encode(model, TEXTS)).sum()))
    assert kept == [place for place in range(3) if place != useless]
    np.testing.assert_allclose(encode(model, TEXTS), before, atol=1e-5)


def test_the_least_important_layer_goes_first_and_of_equals_the_first(source: Path) -> None:
    model = read_encoder(source)
    all_layers = list(layers_of(model))
    worth = dict(zip(all_layers, (3.0, 1.0, 1.0), strict=True))
    steps: list[str] = []
    kept = drop_layers(model, 1, lambda: sum(worth[one] for one in layers_of(model)), steps.append)
    assert kept == [0]
    assert list(layers_of(model)) == all_layers[:1]
    assert steps == [f"Trying layers {rest}" for rest in ("2, 3", "1, 3", "1, 2", "3", "1")]


def test_all_layers_may_stay(source: Path) -> None:
    model = read_encoder(source)
    assert drop_layers(model, 3, lambda: pytest.fail("nothing is to be tried")) == [0, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_is_written_and_read_unchanged(kind: str, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    model = read_encoder(write_encoder(tmp_path / "whole", PIECES, kind=kind, layers=3))
    last = layers_of(model)[-1]
    kept = drop_layers(model, 2, lambda: float(last in list(layers_of(model))))
    assert len(kept) == len(layers_of(model)) == 2
    assert kept[-1] == 2
    expected = encode(model, TEXTS)
    model.save_pretrained(str(tmp_path / "out"), create_model_card=False)
    read = read_encoder(tmp_path / "out")
    assert len(layers_of(read)) == 2
    np.testing.assert_allclose(encode(read, TEXTS), expected, atol=1e-5)


def test_a_layer_with_weights_for_the_others_stays(tmp_path: Path) -> None:
    model = read_encoder(write_encoder(tmp_path, PIECES, kind="t5", layers=3))
    first = layers_of(model)[0]
    kept = drop_layers(model, 1, lambda: -float(first in list(layers_of(model))))
    assert kept == [0]


@pytest.mark.parametrize("count", [0, 4])
def test_a_count_out_of_its_range_is_refused(count: int, source: Path) -> None:
    with pytest.raises(ConfigError, match=f"layers: got {count}, expected 1 to 3"):
        drop_layers(read_encoder(source), count, lambda: 0.0)


def test_a_learnt_prefix_keeps_all_layers_and_a_prompt_does_not(source: Path) -> None:
    model = read_encoder(source)
    add_virtual_tokens(transformer_of(model), PREFIX, 2)
    with pytest.raises(ConfigError, match="fine-tuned with --method prefix"):
        drop_layers(model, 2, lambda: 0.0)
    assert drop_layers(model, 3, lambda: 0.0) == [0, 1, 2]
    model = read_encoder(source)
    add_virtual_tokens(transformer_of(model), PROMPT, 2)
    assert drop_layers(model, 2, lambda: 0.0) == [1, 2]
