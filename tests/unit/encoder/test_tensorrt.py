"""The TensorRT encoder on test doubles that compute, and the doubles against the real modules."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cuda import Cuda
from penchant.encoder.engines import EngineNote, Profile, write_note
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.runtime import FallbackEncoder, load_encoder
from penchant.encoder.tensorrt import TensorRtEncoder
from penchant.encoder.tensorrt_bindings import require_tensorrt
from tests.support.fake_gpu import (
    FakeContext,
    FakeEngine,
    FakeRuntime,
    FakeTensorRt,
    engine_file,
)
from tests.support.word_encoder import write_word_encoder

WORDS = [f"word{number}" for number in range(60)]
TEXTS = [" ".join(WORDS[: 1 + 7 * n % 50]) for n in range(70)]
PROFILES = (Profile(64, 8, 8, 8), Profile(64, 8, 64, 64))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return write_word_encoder(tmp_path / "words", TEXTS, dimensions=12, seed=3)


@pytest.fixture
def note(directory: Path) -> EngineNote:
    graph = hashlib.sha256(read_bundle(directory).graph.read_bytes()).hexdigest()
    note = EngineNote(
        "tensorrt-rtx-sm89-fp16", "tensorrt-rtx", "1.7", ("8.9",), "fp16", PROFILES, graph, "", 6
    )
    engine_file(directory, note)
    write_note(directory, note)
    return note


@pytest.fixture
def gpu() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def trt(directory: Path, gpu: FakeRuntime) -> FakeTensorRt:
    return FakeTensorRt(read_bundle(directory).graph, 12, gpu)


@pytest.fixture
def encoder(
    directory: Path, note: EngineNote, trt: FakeTensorRt, gpu: FakeRuntime
) -> TensorRtEncoder:
    return TensorRtEncoder.load(directory, note, trt, Cuda(gpu))


def by_onnx(directory: Path, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return OnnxEncoder.load(directory, threads=1).encode(texts)


def test_texts_get_the_vectors_of_the_graph(encoder: TensorRtEncoder, directory: Path) -> None:
    np.testing.assert_array_equal(encoder.encode(TEXTS), by_onnx(directory, TEXTS))
    np.testing.assert_array_equal(encoder.encode(TEXTS[:1]), by_onnx(directory, TEXTS[:1]))
    assert encoder.encode([]).shape == (0, 12)
    assert encoder.version == read_bundle(directory).version


def test_leftovers_in_the_buffers_change_no_later_call(
    encoder: TensorRtEncoder, directory: Path
) -> None:
    encoder.encode(TEXTS)
    for text in reversed(TEXTS):
        np.testing.assert_array_equal(encoder.encode([text]), by_onnx(directory, [text]))


def test_after_the_first_calls_nothing_is_allocated_or_captured(
    encoder: TensorRtEncoder, gpu: FakeRuntime
) -> None:
    encoder.encode(TEXTS)
    allocated, graphs = len(gpu.allocated), [len(lane.graphs) for lane in encoder._lanes]
    launches = gpu.launches
    encoder.encode(TEXTS)
    assert len(gpu.allocated) == allocated == 3 * 2 * len(PROFILES)
    assert [len(lane.graphs) for lane in encoder._lanes] == graphs
    assert gpu.launches == 2 * launches


def test_each_profile_has_a_context_of_its_own(encoder: TensorRtEncoder, trt: FakeTensorRt) -> None:
    assert [context.profile for context in trt.engine.contexts] == [0, 1]


def test_threads_do_not_mix_their_texts(encoder: TensorRtEncoder, directory: Path) -> None:
    expected = {text: by_onnx(directory, [text]) for text in TEXTS}
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda text: encoder.encode([text]), TEXTS)
        for text, vector in zip(TEXTS, found, strict=True):
            np.testing.assert_array_equal(vector, expected[text])


def test_a_failing_gpu_is_encoder_unavailable(encoder: TensorRtEncoder, gpu: FakeRuntime) -> None:
    encoder.encode(TEXTS)
    gpu.broken = True
    with pytest.raises(EncoderUnavailable, match="CUDA failed in cudaGraphLaunch: cudaErrorIlle"):
        encoder.encode(TEXTS)


def test_an_engine_that_does_not_load_says_what_to_do(
    directory: Path, note: EngineNote, trt: FakeTensorRt, gpu: FakeRuntime
) -> None:
    trt.refuses = True
    with pytest.raises(ConfigError, match="compile it again here"):
        TensorRtEncoder.load(directory, note, trt, Cuda(gpu))


class TestChoosing:
    """`load_encoder`."""

    def found(self, trt: FakeTensorRt | None, gpu: FakeRuntime | None) -> Any:
        return lambda: (trt, None if gpu is None else Cuda(gpu))

    @pytest.mark.usefixtures("note")
    def test_auto_takes_tensorrt_where_it_can_run(
        self, directory: Path, trt: FakeTensorRt, gpu: FakeRuntime
    ) -> None:
        encoder, why = load_encoder(directory, find=self.found(trt, gpu))
        assert why == "tensorrt, engine tensorrt-rtx-sm89-fp16 on compute capability 8.9"
        np.testing.assert_array_equal(encoder.encode(TEXTS), by_onnx(directory, TEXTS))

    @pytest.mark.usefixtures("note")
    def test_a_gpu_that_fails_later_costs_no_reply(
        self,
        directory: Path,
        trt: FakeTensorRt,
        gpu: FakeRuntime,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        encoder, _ = load_encoder(directory, find=self.found(trt, gpu))
        gpu.broken = True
        np.testing.assert_array_equal(encoder.encode(TEXTS), by_onnx(directory, TEXTS))
        gpu.broken = False
        launches = gpu.launches
        encoder.encode(TEXTS)
        assert gpu.launches == launches
        assert caplog.text.count("continuing on ONNX Runtime") == 1

    @pytest.mark.usefixtures("note")
    def test_without_a_fallback_the_failure_is_raised(
        self, directory: Path, trt: FakeTensorRt, gpu: FakeRuntime
    ) -> None:
        encoder, _ = load_encoder(directory, fallback=False, find=self.found(trt, gpu))
        assert not isinstance(encoder, FallbackEncoder)
        gpu.broken = True
        with pytest.raises(EncoderUnavailable):
            encoder.encode(TEXTS)

    @pytest.mark.parametrize(
        ("trouble", "reason"),
        [
            ("no tensorrt", "TensorRT is not installed"),
            ("no gpu", "there is no GPU with a driver"),
            ("another gpu", r"no engine is for tensorrt-rtx on compute capability 9\.0, only"),
            ("another graph", "no engine was built from this graph"),
        ],
    )
    def test_auto_says_why_it_uses_onnx_runtime_and_tensorrt_is_refused(
        self, directory: Path, note: EngineNote, trt: FakeTensorRt, trouble: str, reason: str
    ) -> None:
        gpu = FakeRuntime("9.0" if trouble == "another gpu" else "8.9", trouble != "no gpu")
        if trouble == "another graph":
            write_note(directory, replace(note, graph_sha256="0" * 64))
        found = self.found(None if trouble == "no tensorrt" else trt, gpu)
        encoder, why = load_encoder(directory, find=found)
        assert isinstance(encoder, OnnxEncoder)
        assert re.match(f"onnxruntime, since {reason}", why)
        with pytest.raises(ConfigError, match=f"got tensorrt, but {reason}"):
            load_encoder(directory, "tensorrt", find=found)

    @pytest.mark.usefixtures("note")
    @pytest.mark.parametrize("trouble", ["no memory", "engine refused"])
    def test_a_gpu_that_fails_at_the_start_keeps_no_server_from_starting(
        self, directory: Path, trt: FakeTensorRt, gpu: FakeRuntime, trouble: str
    ) -> None:
        gpu.full, trt.refuses = trouble == "no memory", trouble == "engine refused"
        encoder, why = load_encoder(directory, find=self.found(trt, gpu))
        assert isinstance(encoder, OnnxEncoder)
        reason = "cudaErrorMemoryAllocation" if gpu.full else "compile it again here"
        assert why.startswith("onnxruntime, since ")
        assert reason in why
        with pytest.raises(ConfigError, match=f"got tensorrt, but .*{reason}"):
            load_encoder(directory, "tensorrt", find=self.found(trt, gpu))

    def test_the_real_runtimes_of_this_machine_are_tried(self, directory: Path) -> None:
        encoder, why = load_encoder(directory)
        assert encoder.version == read_bundle(directory).version
        assert why.startswith(("onnxruntime, since ", "tensorrt, "))

    def test_an_unknown_runtime_is_refused(self, directory: Path) -> None:
        with pytest.raises(ConfigError, match="expected one of: auto, tensorrt, onnxruntime"):
            load_encoder(directory, "openvino")


def parameters_in(text: str, name: str) -> int:
    """Number of parameters in a function's docstring, without `self`."""
    found = re.search(rf"^{name}\((.*?)\)", text, re.MULTILINE)
    assert found is not None, text
    inside = [part for part in found[1].split(",") if part.strip() and "self" not in part]
    return len(inside)


def methods(double: type) -> list[str]:
    return [name for name, one in vars(double).items() if name[0] != "_" and callable(one)]


@pytest.mark.parametrize(
    ("double", "real"),
    [(FakeContext, "IExecutionContext"), (FakeEngine, "ICudaEngine")],
)
def test_the_doubles_of_tensorrt_match_the_real_classes(double: type, real: str) -> None:
    for name in methods(double):
        method = getattr(getattr(require_tensorrt(), real), name)
        taken = len(inspect.signature(vars(double)[name]).parameters) - 1
        text = method.__doc__
        if "Overloaded function" in text:
            text = re.sub(r"^\d+\. ", "", text.split("Overloaded function.")[1], flags=re.MULTILINE)
        documented = parameters_in(text, name)
        assert taken <= documented if name == "create_execution_context" else taken == documented


def test_the_real_module_has_the_names_that_its_double_has() -> None:
    trt = require_tensorrt()
    assert trt.Logger.ERROR is not None
    assert trt.Runtime.deserialize_cuda_engine is not None


def test_the_double_of_cuda_matches_the_real_module() -> None:
    runtime = importlib.import_module("cuda.bindings.runtime")
    for name in methods(FakeRuntime):
        if inspect.isclass(vars(FakeRuntime)[name]):
            for member in vars(FakeRuntime)[name]:
                assert hasattr(getattr(runtime, name), member.name)
            continue
        taken = len(inspect.signature(vars(FakeRuntime)[name]).parameters) - 1
        assert parameters_in(getattr(runtime, name).__doc__, name) == taken


def test_counting_devices_does_not_raise_without_a_driver() -> None:
    assert Cuda(importlib.import_module("cuda.bindings.runtime")).devices() >= 0
