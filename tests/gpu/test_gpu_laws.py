"""The laws of the encoder on a GPU; without one they run over doubles that compute.

`python -m benchmarks.gpu --part laws` runs them on the machine's GPU.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.gpu.gpu_laws import ENCODER
from penchant.domain.errors import ConfigError, EncoderUnavailable
from penchant.encoder.bundle import read_bundle
from penchant.encoder.cuda import find_cuda
from penchant.encoder.engines import read_notes, write_note
from penchant.encoder.runtime import fitting_engine
from penchant.encoder.tensorrt import TensorRtEncoder
from penchant.encoder.tensorrt_bindings import find_tensorrt
from penchant.training.compilation.compile import CompileRequest, compile_encoder
from tests.gpu.gpu_under_test import DoubledGpu, GpuUnderTest, Injected, with_fallback

pytestmark = pytest.mark.gpu
CALLS = 10_000 if ENCODER in os.environ else 300


def close(gpu: GpuUnderTest, got: object, wanted: object) -> None:
    np.testing.assert_allclose(got, wanted, rtol=0, atol=gpu.tolerance)  # type: ignore[call-overload]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 32, 33, 64, 70])
def test_every_number_of_texts_gets_the_vectors_of_the_graph(gpu: GpuUnderTest, count: int) -> None:
    texts = list(gpu.texts[:count])
    close(gpu, gpu.load().encode(texts), gpu.reference(texts))


def test_padding_and_leftovers_change_no_vector(gpu: GpuUnderTest) -> None:
    encoder = gpu.load()
    encoder.encode(list(gpu.texts))
    for text in reversed(gpu.texts):
        close(gpu, encoder.encode([text]), gpu.reference([text]))


def test_several_threads_get_their_own_vectors(gpu: GpuUnderTest) -> None:
    encoder = gpu.load()
    wanted = gpu.reference(list(gpu.texts))

    def ask(place: int) -> None:
        rows = [(place * 11 + step) % len(gpu.texts) for step in range(1 + place % 9)]
        close(gpu, encoder.encode([gpu.texts[row] for row in rows]), wanted[rows])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(200)))


def test_calls_allocate_nothing(gpu: GpuUnderTest) -> None:
    encoder = gpu.load()
    for count in (1, 2, 4, 8, 16, 32, 64):
        encoder.encode(list(gpu.texts[:count]))
        for text in gpu.texts:
            encoder.encode([text])
    before = gpu.allocated()
    for call in range(CALLS):
        encoder.encode([gpu.texts[call % len(gpu.texts)]])
    assert gpu.allocated() <= before


@pytest.mark.parametrize("call", ["cudaGraphLaunch", "cudaStreamSynchronize"])
def test_a_failing_gpu_is_named_and_the_cpu_takes_over(gpu: GpuUnderTest, call: str) -> None:
    alone, guarded = gpu.load(), with_fallback(gpu)
    texts = list(gpu.texts[:5])
    alone.encode(texts)
    guarded.encode(texts)
    gpu.runtime.failing[call] = Injected.cudaErrorIllegalAddress
    try:
        with pytest.raises(EncoderUnavailable, match=f"{call}: cudaErrorIllegalAddress"):
            alone.encode(texts)
        np.testing.assert_array_equal(guarded.encode(texts), gpu.reference(texts))
    finally:
        gpu.runtime.failing.clear()
    close(gpu, alone.encode(texts), gpu.reference(texts))


def test_a_gpu_without_memory_is_said_and_serves_again_once_there_is_some(
    gpu: GpuUnderTest,
) -> None:
    with gpu.exhausted(), pytest.raises((EncoderUnavailable, ConfigError, RuntimeError)):
        gpu.load()
    close(gpu, gpu.load().encode(list(gpu.texts[:3])), gpu.reference(list(gpu.texts[:3])))


def test_an_engine_for_another_gpu_is_refused_in_words(gpu: GpuUnderTest) -> None:
    trt, cuda = find_tensorrt(), find_cuda()
    if isinstance(gpu, DoubledGpu) or trt is None or cuda is None:
        pytest.skip("needs a GPU and TensorRT; over doubles, tests/unit/encoder has this law")
    here = cuda.compute_capability()
    other = "8.9" if here != "8.9" else "12.0"
    built = [note for note in read_notes(gpu.directory) if note.compute_capabilities == (other,)]
    compile_encoder(CompileRequest(gpu.directory, "fp16", compute_capabilities=(other,)))
    note = next(n for n in read_notes(gpu.directory) if n.compute_capabilities == (other,))
    try:
        assert read_bundle(gpu.directory).version
        fit = fitting_engine(gpu.directory, trt, cuda)
        assert not isinstance(fit, str) or f"on compute capability {here}" in fit
        with pytest.raises(ConfigError, match="compile it again here"):
            TensorRtEncoder.load(gpu.directory, note, trt, cuda)
    finally:
        if not built:
            note.path(gpu.directory).unlink()
            note.path(gpu.directory).with_suffix(".json").unlink()
        else:
            write_note(gpu.directory, built[0])
