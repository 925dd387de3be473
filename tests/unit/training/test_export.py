"""Exports of tiny, randomly initialized encoders; the real one is in tests/unit/encoder."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from transformers import BertModel

from penchant.domain.errors import ConfigError
from penchant.encoder.onnx import OnnxEncoder
from penchant.training.export import ExportReport, ExportRequest, export_encoder
from penchant.training.pytorch_encoder import embed, read_source
from tests.support.command import run
from tests.support.exporting import export
from tests.support.tiny_encoders import write_encoder

Array = NDArray[np.float32]
HIDDEN = 16
TEXTS = [" ".join(f"{chr(97 + n * k % 26)}" for k in range(1, 2 + n % 9)) for n in range(60)]


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory without a sentence-transformers layout: one layer, 16 dimensions."""
    letters = [chr(97 + n) for n in range(26)]
    pieces = [*letters, *("##" + letter for letter in letters)]
    directory = tmp_path_factory.mktemp("plain")
    return write_encoder(directory, pieces, hidden=HIDDEN, layers=1, initializer_range=0.5)


Layout = Callable[..., Path]


@pytest.fixture
def layout(plain: Path, tmp_path: Path) -> Layout:
    """Writes the plain model in the layout of sentence-transformers."""

    def write(pooling: dict[str, object], **modules: dict[str, object]) -> Path:
        directory = tmp_path / "layout"
        directory.mkdir()
        for file in plain.iterdir():
            (directory / file.name).symlink_to(file)
        rows = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
        for name, config in {"Pooling": pooling, **modules}.items():
            (directory / name).mkdir()
            (directory / name / "config.json").write_text(json.dumps(config))
            rows.append({"path": name, "type": f"sentence_transformers.models.{name}"})
        (directory / "modules.json").write_text(json.dumps(rows))
        return directory

    return write


def states(plain: Path, text: str) -> Array:
    """The model's token vectors of a text, shape (tokens, 16)."""
    ids = read_source(plain, 1, "truncate", 48)[1].token_ids(text)
    model = BertModel.from_pretrained(plain, local_files_only=True).train(False)
    with torch.inference_mode():
        return np.asarray(model(torch.tensor([ids])).last_hidden_state[0])


def unit(vector: Array) -> Array:
    return vector / np.linalg.norm(vector)


@pytest.fixture(scope="session")
def report(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    output = tmp_path_factory.mktemp("export") / "new" / "out"
    return export(plain, output, dimensions=HIDDEN, max_tokens=48)


def test_plain_model_is_mean_pooled(plain: Path, report: ExportReport) -> None:
    assert report.settings.pooling == "mean"
    encoder = OnnxEncoder.load(report.directory, threads=1)
    assert encoder.version == report.version
    expected = [unit(states(plain, text).mean(axis=0)) for text in TEXTS[:9]]
    np.testing.assert_allclose(encoder.encode(TEXTS[:9]), expected, atol=1e-4)


def test_nothing_else_is_left(report: ExportReport) -> None:
    assert [path.name for path in report.directory.parent.iterdir()] == ["out"]
    files = sorted(path.name for path in report.directory.iterdir())
    assert files == ["encoder.json", "encoder.onnx", "tokenizer.json"]


def test_layout_with_cls_pooling_modules_and_prefix(
    plain: Path, layout: Layout, tmp_path: Path
) -> None:
    dense = {"in_features": HIDDEN, "out_features": 6, "bias": False}
    activation = {"activation_function": "torch.nn.modules.activation.Tanh"}
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    source = layout(pooling, Normalize={}, Dense=dense | activation)
    weight = torch.linspace(-1, 1, 6 * HIDDEN).reshape(6, HIDDEN)
    save_file({"linear.weight": weight}, source / "Dense" / "model.safetensors")
    prompts = {"prompts": {"query": "q "}, "default_prompt_name": "query"}
    (source / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    export(source, tmp_path / "out", dimensions=5, max_tokens=16)
    vectors = OnnxEncoder.load(tmp_path / "out", threads=1).encode(TEXTS[:9])
    pooled = [unit(states(plain, "q " + text)[0]) for text in TEXTS[:9]]
    expected = [unit(np.tanh(weight.numpy() @ vector)[:5]) for vector in pooled]
    np.testing.assert_allclose(vectors, expected, atol=1e-4)


def test_max_pooling_skips_padding(plain: Path, layout: Layout) -> None:
    model, texts, settings = read_source(layout({"pooling_mode": "max"}), 4, "truncate", 16)
    assert settings.pooling == "max"
    expected = [states(plain, text).max(axis=0) for text in TEXTS[:9]]
    np.testing.assert_allclose(embed(model, texts, TEXTS[:9]), expected, atol=1e-5)


def test_pca_is_centred_ordered_scaled_and_reproducible(plain: Path, tmp_path: Path) -> None:
    def fitted(name: str) -> ExportReport:
        request = ExportRequest(
            output=tmp_path / name,
            source=plain,
            dimensions=4,
            projection_texts=TEXTS,
            max_tokens=16,
            pca_power=0.5,
        )
        return export_encoder(request)

    report = fitted("a")
    model, texts, _ = read_source(plain, 4, "pca", 16)
    embeddings = embed(model, texts, TEXTS).astype(np.float64)
    centred = embeddings - embeddings.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    whitened = left[:, :4] / np.linalg.norm(left[:, :4], axis=1, keepdims=True)
    vectors = OnnxEncoder.load(tmp_path / "a", threads=1).encode(TEXTS)
    signs = np.sign((vectors * whitened).sum(axis=0))
    np.testing.assert_allclose(vectors, whitened * signs, atol=1e-4)
    assert report.explained == pytest.approx((singular[:4] ** 2).sum() / (singular**2).sum())
    assert fitted("b").version == report.version


def test_a_wrong_graph_is_not_put_in_place(
    layout: Layout, report: ExportReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_other(model: torch.nn.Module, path: Path) -> None:
        shutil.copy(report.directory / "encoder.onnx", path)

    monkeypatch.setattr("penchant.training.export_graph.write_graph", write_other)
    source = layout({"pooling_mode": "max"})
    with pytest.raises(ConfigError, match=r"the ONNX graph differs from PyTorch by 0\.\d+"):
        export(source, tmp_path / "out", dimensions=HIDDEN, max_tokens=16)
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimensions": 17}, "dimensions: got 17, expected 1 to the source's 16"),
        ({"dimensions": 0}, "dimensions: got 0"),
        ({"max_tokens": 49}, "max_tokens: got 49, expected 3 to the source's 48"),
        ({"max_tokens": 2}, "max_tokens: got 2"),
        ({"projection_texts": []}, "projection_texts: got none"),
        ({"projection_texts": ["a"] * 60}, "do not span 4 dimensions"),
        ({"projection_texts": TEXTS[:4]}, "do not span 4 dimensions"),
        ({"pca_power": 2.0}, "pca_power: got 2.0, expected 0 to 0.5"),
    ],
)
def test_wrong_arguments_are_named(
    plain: Path, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    request = ExportRequest(output=tmp_path / "out", source=plain, dimensions=4, max_tokens=16)
    with pytest.raises(ConfigError, match=message):
        export_encoder(dataclasses.replace(request, **options))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_an_output_with_something_else_is_left_alone(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    for output in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(ConfigError, match="holds something other than an encoder"):
            export(plain, output, dimensions=4, max_tokens=16)


@pytest.mark.parametrize(
    ("pooling", "modules", "message"),
    [
        ({"pooling_mode": "attention"}, {}, "expected one of mean, cls, max, lasttoken"),
        ({"pooling_mode": ["mean", "max"]}, {}, "expected one of mean, cls, max"),
        ({"pooling_mode": "mean"}, {"LSTM": {}}, "a LSTM module can't be exported"),
        ({"pooling_mode": "mean"}, {"Dense": {"use_residual": True}}, "this Dense module"),
    ],
)
def test_a_layout_that_is_not_known_is_refused(
    layout: Layout,
    tmp_path: Path,
    pooling: dict[str, object],
    modules: dict[str, dict[str, object]],
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        export(layout(pooling, **modules), tmp_path / "out", dimensions=4, max_tokens=16)


def test_a_source_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no config\.json"):
        export(tmp_path / "none", tmp_path / "out")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ConfigError, match="can't be read"):
        export(tmp_path, tmp_path / "out")


def test_the_command_replaces_an_encoder_and_names_the_next_step(
    plain: Path, report: ExportReport, tmp_path: Path
) -> None:
    shutil.copytree(report.directory, tmp_path / "out")
    lines = tmp_path / "texts.txt"
    lines.write_text("\n\n".join(TEXTS), encoding="utf-8")
    options = {
        "--source": plain,
        "--output": tmp_path / "out",
        "--dimensions": 4,
        "--max-tokens": 16,
        "--projection-texts": lines,
    }
    result = run(["export", *(word for pair in options.items() for word in pair)])
    assert result.exit_code == 0, result.output
    version = OnnxEncoder.load(tmp_path / "out", threads=1).version
    assert version in result.output
    assert version != report.version
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "texts.txt"]
    assert "4 (pca, " in result.output
    assert "Next:" in result.output


def test_the_command_names_unreadable_texts(tmp_path: Path) -> None:
    (tmp_path / "texts").write_bytes(b"\xff\xfe\xff")
    for name in ("none", "texts"):
        options = ["--output", tmp_path / "out", "--projection-texts", tmp_path / name]
        result = run(["export", *options])
        assert result.exit_code == 1
        expected = f"penchant: projection_texts: {tmp_path / name} can't be read"
        assert result.stderr.startswith(expected)
