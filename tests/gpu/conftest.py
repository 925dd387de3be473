"""The GPU under test: the machine's own, or doubles that compute where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gpu.bench import GpuBench, Skipped
from benchmarks.gpu.gpu_laws import ENCODER, SOURCE
from penchant.encoder.cuda import find_cuda
from penchant.encoder.tensorrt_bindings import find_tensorrt
from tests.gpu.gpu_under_test import DoubledGpu, GpuUnderTest, RealGpu


@pytest.fixture(scope="module")
def gpu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GpuUnderTest]:
    """With the variables of `benchmarks.gpu` set, the real GPU; else doubles."""
    work = tmp_path_factory.mktemp("gpu")
    if ENCODER not in os.environ:
        yield DoubledGpu(work)
        return
    bench = GpuBench(
        Path(os.environ[ENCODER]), Path(os.environ[SOURCE]), work, find_tensorrt(), find_cuda()
    )
    try:
        yield RealGpu(bench)
    except Skipped as why:
        pytest.skip(str(why))
