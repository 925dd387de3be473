"""Real engines, built without a GPU: their inputs, number formats and profiles."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path

import onnx
import pytest

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import GRAPH, read_bundle, write_bundle
from penchant.encoder.engines import Profile, read_notes
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.tensorrt_bindings import require_tensorrt
from penchant.training.compilation.compile import CompileReport, CompileRequest, compile_encoder
from penchant.training.compilation.network import TensorShape, parse, quiet_logger
from penchant.training.export import ExportReport
from tests.support.command import run
from tests.support.word_encoder import write_word_encoder

TEXTS = ["red shoes", "a blue coat"]


@pytest.fixture(scope="module")
def minilm(minilm_report: ExportReport, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the default encoder, to compile into."""
    return Path(shutil.copytree(minilm_report.directory, tmp_path_factory.mktemp("c") / "minilm"))


@pytest.fixture(scope="module")
def fp16(minilm: Path) -> CompileReport:
    return compile_encoder(CompileRequest(source=minilm))


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return write_word_encoder(tmp_path / "words", TEXTS, dimensions=8, seed=1)


def small(encoder: Path) -> CompileRequest:
    return CompileRequest(source=encoder, precision="fp32", texts=4, tokens=(64,))


def test_the_real_encoder_compiles_to_fp16(fp16: CompileReport, minilm: Path) -> None:
    network = fp16.network
    assert {shape.name: (shape.type, shape.dims) for shape in network.inputs} == {
        "input_ids": ("INT64", (-1, -1)),
        "attention_mask": ("INT64", (-1, -1)),
    }
    assert network.outputs == (TensorShape("embedding", "FLOAT", (-1, 64)),)
    assert set(network.products) == {"HALF"}
    assert network.products["HALF"] >= 48  # Eight products in each of six layers.
    assert network.layers["FLOAT"] > 13  # Its layer norms and the pooling.
    assert fp16.least_cosine is not None
    assert fp16.least_cosine > 0.9999
    assert fp16.note.profiles[-1] == Profile(64, 8, 128, 128)
    graph = read_bundle(minilm).graph.stat().st_size
    assert 0.5 * graph < fp16.note.size_bytes < 0.8 * graph


def test_the_real_encoder_compiles_to_fp32(minilm: Path) -> None:
    report = compile_encoder(CompileRequest(source=minilm, precision="fp32", tokens=(128,)))
    assert set(report.network.products) == {"FLOAT"}
    assert report.least_cosine is None
    assert {note.precision for note in read_notes(minilm)} >= {"fp32"}


def test_an_engine_is_noted_with_its_graph_and_its_own_checksum(
    fp16: CompileReport, minilm: Path
) -> None:
    note = next(note for note in read_notes(minilm) if note.precision == "fp16")
    assert note == fp16.note
    assert note.graph_sha256 == hashlib.sha256((minilm / GRAPH).read_bytes()).hexdigest()
    assert note.engine_sha256 == hashlib.sha256(note.path(minilm).read_bytes()).hexdigest()
    assert (note.runtime, note.compute_capabilities) == ("tensorrt-rtx", ("8.9",))


def test_engines_beside_it_change_nothing_of_the_encoder(fp16: CompileReport, minilm: Path) -> None:
    assert fp16.path.is_file()
    assert OnnxEncoder.load(minilm, threads=1).encode(["a film"]).shape == (1, 64)


def test_one_engine_may_be_for_several_gpus(words: Path) -> None:
    request = dataclasses.replace(small(words), compute_capabilities=("8.6", "8.9"))
    report = compile_encoder(request)
    assert report.path.name == "tensorrt-rtx-sm86-sm89-fp32.engine"


def test_tensorrt_for_rtx_times_nothing_and_writes_no_cache(words: Path, tmp_path: Path) -> None:
    cache = tmp_path / "timing"
    request = dataclasses.replace(small(words), timing_cache=cache)
    assert compile_encoder(request).note.size_bytes > 0
    assert not cache.exists()


def test_profiles_must_reach_as_far_as_the_encoders_texts(words: Path) -> None:
    with pytest.raises(ConfigError, match="got up to 32, expected 64"):
        compile_encoder(dataclasses.replace(small(words), tokens=(32,)))


def test_an_unknown_gpu_is_refused_with_those_that_are_known(words: Path) -> None:
    with pytest.raises(ConfigError, match=r"got 7.0, expected one of: .*8\.9"):
        compile_encoder(dataclasses.replace(small(words), compute_capabilities=("7.0",)))


def test_a_graph_that_tensorrt_cannot_take_is_named_by_its_node(words: Path) -> None:
    settings = read_bundle(words).settings
    graph = onnx.load(words / GRAPH)
    graph.graph.node[0].op_type = "NoSuchOperator"
    graph.graph.node[0].name = "the_odd_one"
    onnx.save(graph, words / GRAPH)
    write_bundle(words, settings)
    with pytest.raises(ConfigError, match=r"can't take .*the_odd_one"):
        compile_encoder(small(words))
    assert read_notes(words) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"precision": "fp8"}, "expected one of: fp32"),
        ({"compute_capabilities": ("89",)}, "expected as in 8.9"),
        ({"texts": 0}, "expected 1 or more"),
        ({"tokens": (64, 32)}, "expected rising numbers"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        CompileRequest(source=Path("encoder"), **settings)  # type: ignore[arg-type]


def test_the_command_shows_the_engine(words: Path) -> None:
    arguments = ["--source", str(words), "--precision", "fp32", "--tokens", "64"]
    result = run(["compile", *arguments])
    assert result.exit_code == 0, result.output
    assert "tensorrt-rtx" in result.output
    assert "FLOAT" in result.output


def test_a_network_is_parsed_without_printing(
    words: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trt = require_tensorrt()
    logger, errors = quiet_logger(trt)
    parse(trt, trt.Builder(logger), logger, words / GRAPH)
    assert errors == []
    assert capfd.readouterr() == ("", "")
