"""Part `laws`: the tests marked `gpu`, on this GPU."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from benchmarks.gpu.bench import GpuBench, Skipped

ROOT = Path(__file__).resolve().parents[2]
ENCODER, SOURCE = "PENCHANT_GPU_ENCODER", "PENCHANT_GPU_SOURCE"
"""Environment variables that tell the tests which encoder to use."""
_OPTIONS = (
    *("-m", "gpu", "-q", "-rA", "--tb=short", "-W", "default", "-p", "no:cacheprovider"),
    *("-o", "addopts=--import-mode=importlib"),
)


def run_laws(bench: GpuBench) -> list[dict[str, object]]:
    """One row a test, from pytest's own report.

    Raises:
        Skipped: there is no GPU, or no pytest.
    """
    _ = bench.gpu
    if find_spec("pytest") is None or find_spec("hypothesis") is None:
        raise Skipped("pytest or hypothesis is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/gpu", *_OPTIONS],
        cwd=ROOT,
        env=os.environ
        | {ENCODER: str(bench.encoder.resolve()), SOURCE: str(bench.source.resolve())},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    (bench.work / "laws.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    rows = outcomes(done.stdout)
    if not rows:
        raise RuntimeError(f"pytest ran no test: {done.stdout[-300:]}{done.stderr[-300:]}")
    return rows


def outcomes(report: str) -> list[dict[str, object]]:
    r"""Each test's outcome in pytest's short summary.

    >>> outcomes(  # doctest: +ELLIPSIS
    ...     "PASSED tests/gpu/test_a.py::test_b\nFAILED tests/gpu/test_a.py::test_c - no"
    ... )
    [{'law': 'test_b', 'outcome': 'passed', 'why': ''}, {'law': 'test_c', ...}]
    """
    line = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED)\s+\S*?::(\S+)(?: - (.*))?$", re.MULTILINE)
    return [
        {"law": name, "outcome": outcome.lower(), "why": why[:160]}
        for outcome, name, why in line.findall(report)
    ]
