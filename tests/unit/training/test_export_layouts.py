"""Directories that sentence-transformers wrote: what `export` reads is what they `encode`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.base.modules.normalize import Normalize
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.pytorch_encoder import embed, read_source
from penchant.training.sentence_modules import ACTIVATIONS, POOLINGS
from penchant.training.sentence_transformers_comparison import least_cosine
from tests.support.exporting import export
from tests.support.tiny_encoders import write_encoder

HIDDEN = 16
WORDS = "red lamp drama comedy of by for the find query Red DRAMA".split()  # noqa: SIM905  # Shorter.
TEXTS = [" ".join(WORDS[(n * k) % len(WORDS)] for k in range(1, 2 + n % 9)) for n in range(30)]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("plain")
    words = [word.lower() for word in WORDS[:-2]]
    return write_encoder(directory, words, hidden=HIDDEN, layers=1, initializer_range=0.5)


def saved(plain: Path, to: Path, pooling: dict[str, Any], *more: Any, prompt: str = "") -> Path:
    """Writes a directory as sentence-transformers does."""
    torch.manual_seed(1)
    modules = [Transformer(str(plain)), Pooling(HIDDEN, **pooling), *more]
    prompts: dict[str, Any] = {"prompts": {"q": prompt}, "default_prompt_name": "q"}
    prompts = prompts if prompt else {}
    SentenceTransformer(modules=modules, device="cpu", **prompts).save(str(to))
    return to


def assert_same(source: Path, width: int = HIDDEN) -> None:
    """Our reading of a directory gives the vectors that sentence-transformers makes."""
    model, tokenizer, settings = read_source(source, width, "truncate", 32)
    cosine = least_cosine(source, model, tokenizer, settings)
    assert cosine is not None
    assert cosine > 0.9999
    theirs = SentenceTransformer(str(source), device="cpu", local_files_only=True)
    expected = theirs.encode(TEXTS, convert_to_numpy=True)
    np.testing.assert_allclose(embed(model, tokenizer, TEXTS), expected, atol=1e-4)


def test_an_exported_encoder_gives_the_vectors_of_sentence_transformers(
    plain: Path, tmp_path: Path
) -> None:
    dense = Dense(HIDDEN, 8, activation_function=torch.nn.Tanh())
    pooling = {"pooling_mode": "cls", "include_prompt": False}
    source = saved(plain, tmp_path / "in", pooling, dense, prompt="find query for ")
    report = export(source, tmp_path / "out", dimensions=6, max_tokens=32)
    assert report.least_cosine is not None
    assert report.least_cosine > 0.9999
    theirs = SentenceTransformer(str(source), device="cpu", local_files_only=True)
    expected = theirs.encode(TEXTS, convert_to_numpy=True)[:, :6]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    got = OnnxEncoder.load(tmp_path / "out", threads=1).encode(TEXTS)
    np.testing.assert_allclose((got * expected).sum(axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize("include_prompt", [True, False])
@pytest.mark.parametrize("mode", POOLINGS)
def test_every_pooling_with_and_without_its_prompt_is_honoured(
    plain: Path, tmp_path: Path, mode: str, include_prompt: bool
) -> None:
    pooling = {"pooling_mode": mode, "include_prompt": include_prompt}
    source = saved(plain, tmp_path / "in", pooling, Normalize(), prompt="find query for ")
    assert_same(source)


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_dense_layer_is_read_from_either_file(
    plain: Path, tmp_path: Path, file: str, bias: bool
) -> None:
    dense = Dense(HIDDEN, 8, bias=bias, activation_function=torch.nn.Tanh())
    source = saved(plain, tmp_path / "in", {}, dense, Normalize())
    folder = source / "2_Dense"
    if file == "pytorch_model.bin":
        torch.save(dense.state_dict(), folder / file)
        (folder / "model.safetensors").unlink()
    assert (folder / file).is_file()
    assert_same(source, width=8)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_honoured(plain: Path, tmp_path: Path, activation: str) -> None:
    dense = Dense(HIDDEN, 8, activation_function=getattr(torch.nn, activation)())
    source = saved(plain, tmp_path / "in", {}, dense)
    assert_same(source, width=8)


def test_lower_case_and_token_limit_are_honoured(plain: Path, tmp_path: Path) -> None:
    cased = shutil.copytree(plain, tmp_path / "cased")
    tokenizer = json.loads((cased / "tokenizer.json").read_text())
    (cased / "tokenizer.json").write_text(json.dumps(tokenizer | {"normalizer": None}))
    source = saved(cased, tmp_path / "in", {})
    options = {"max_seq_length": 5, "do_lower_case": True}
    (source / "sentence_bert_config.json").write_text(json.dumps(options))
    assert_same(source)


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("2_Dense/config.json", {"use_residual": True}, "use_residual: got True, expected False"),
        ("2_Dense/config.json", {"activation_function": "mine.Act"}, "got 'mine.Act', expected"),
        ("2_Dense/config.json", {"module_output_name": "x"}, "module_output_name: got 'x'"),
        ("1_Pooling/config.json", {"pooling_mode": ["cls", "mean"]}, "got .*expected one of"),
        ("1_Pooling/config.json", {"pooling_mode": "odd"}, "got .*'odd'.*expected one of"),
    ],
)
def test_an_option_that_cannot_be_honoured_is_refused_by_name(
    plain: Path, tmp_path: Path, file: str, change: dict[str, Any], words: str
) -> None:
    source = saved(plain, tmp_path / "in", {}, Dense(HIDDEN, 8))
    config = json.loads((source / file).read_text())
    (source / file).write_text(json.dumps(config | change))
    with pytest.raises(ConfigError, match=words):
        export(source, tmp_path / "out", dimensions=8, max_tokens=32)
    assert not (tmp_path / "out").exists()


def test_an_unknown_module_and_missing_weights_are_refused_by_name(
    plain: Path, tmp_path: Path
) -> None:
    source = saved(plain, tmp_path / "in", {}, Dense(HIDDEN, 8))
    (source / "2_Dense" / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        export(source, tmp_path / "out", dimensions=8, max_tokens=32)
    modules = json.loads((source / "modules.json").read_text())
    modules[2]["type"] = "sentence_transformers.models.LSTM"
    (source / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ConfigError, match="a LSTM module can't be exported"):
        export(source, tmp_path / "out", dimensions=8, max_tokens=32)


def test_vectors_unlike_those_of_sentence_transformers_are_refused(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = saved(plain, tmp_path / "in", {"pooling_mode": "cls"})
    monkeypatch.setattr("penchant.training.sentence_modules._pooling", lambda path, config: "mean")
    with pytest.raises(ConfigError, match=r"the cosine with the vectors of sentence-transformers"):
        export(source, tmp_path / "out", dimensions=8, max_tokens=32)
    assert not (tmp_path / "out").exists()
