"""The encoder alone as a model of a stock Triton; Triton's own messages parse its configuration."""

from __future__ import annotations

import hashlib
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import read_bundle
from penchant.encoder.engines import EngineNote, Profile, write_note
from penchant.releases.triton_repository import MODEL, write_model_version
from tests.support.fake_gpu import engine_file
from tests.support.word_encoder import write_word_encoder

model_config_pb2: Any = importlib.import_module("tritonclient.grpc.model_config_pb2")


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return write_word_encoder(tmp_path / "words", ["red shoes"], dimensions=8, seed=1)


def config_in(repository: Path) -> Any:
    text = (repository / MODEL / "config.pbtxt").read_text(encoding="utf-8")
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def test_a_stock_triton_reads_what_goes_in_and_comes_out(encoder: Path, tmp_path: Path) -> None:
    folder = write_model_version(tmp_path / "models", encoder)
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "tokenizer.json"]
    config = config_in(tmp_path / "models")
    assert (config.name, config.backend, config.max_batch_size) == (MODEL, "onnxruntime", 64)
    names = [(one.name, one.data_type, list(one.dims)) for one in config.input]
    long, single = model_config_pb2.TYPE_INT64, model_config_pb2.TYPE_FP32
    assert names == [("input_ids", long, [-1]), ("attention_mask", long, [-1])]
    outputs = [(one.name, one.data_type, list(one.dims)) for one in config.output]
    assert outputs == [("embedding", single, [8])]


def test_each_release_is_the_next_version(encoder: Path, tmp_path: Path) -> None:
    folders = [write_model_version(tmp_path / "models", encoder) for _ in range(3)]
    assert [folder.name for folder in folders] == ["1", "2", "3"]
    assert config_in(tmp_path / "models").version_policy.latest.num_versions == 1


def test_a_plan_of_the_data_centres_tensorrt_goes_first_and_one_for_rtx_does_not(
    encoder: Path, tmp_path: Path
) -> None:
    graph = hashlib.sha256(read_bundle(encoder).graph.read_bytes()).hexdigest()
    profiles = (Profile(32, 4, 64, 64),)
    rtx = EngineNote("a", "tensorrt-rtx", "1.7", ("8.9",), "fp16", profiles, graph, "", 6)
    for note in (rtx, replace(rtx, name="b", runtime="tensorrt")):
        engine_file(encoder, note)
        write_note(encoder, note)
        folder = write_model_version(tmp_path / "models", encoder)
        assert (folder / "model.plan").is_file() == (note.runtime == "tensorrt")
    config = config_in(tmp_path / "models")
    assert (config.platform, config.max_batch_size) == ("tensorrt_plan", 32)


def test_a_repository_that_cannot_be_written_is_named(encoder: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ConfigError, match=r"--triton: .* can't be written"):
        write_model_version(tmp_path / "models", encoder)


@pytest.mark.parametrize("file", ["config.pbtxt", "1/model.onnx", "1"])
def test_somebody_elses_model_of_that_name_is_refused(
    encoder: Path, tmp_path: Path, file: str
) -> None:
    other = tmp_path / "models" / MODEL / file
    other.parent.mkdir(parents=True)
    other.write_text('backend: "onnxruntime"')
    with pytest.raises(ConfigError, match=rf"--triton: .*/{MODEL} exists and is not Penchant's"):
        write_model_version(tmp_path / "models", encoder)
    assert [path for path in (tmp_path / "models" / MODEL).rglob("*") if path.is_file()] == [other]
    assert other.read_text() == 'backend: "onnxruntime"'


def test_a_version_whose_publication_was_cut_short_is_ours(encoder: Path, tmp_path: Path) -> None:
    write_model_version(tmp_path / "models", encoder)
    (tmp_path / "models" / MODEL / "config.pbtxt").unlink()
    assert write_model_version(tmp_path / "models", encoder).name == "2"
