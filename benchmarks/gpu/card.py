"""Part `card`: what is there: driver, GPU, and the modules that run on it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from importlib import metadata

from benchmarks.gpu.bench import GpuBench
from penchant.encoder.tensorrt_bindings import runtime_name

PACKAGES = (
    "torch",
    "cuda-bindings",
    "onnxruntime",
    "transformers",
    "sentence-transformers",
    "tokenizers",
    "numpy",
)
_QUERY = "name,driver_version,memory.total,compute_cap,power.limit,clocks.max.sm"


def describe_card(bench: GpuBench) -> list[dict[str, object]]:
    """One row a fact; nothing here fails where something is missing."""
    facts: dict[str, object] = {"GPU, driver, memory, capability, power, clock": _nvidia_smi()}
    if bench.cuda is None:
        facts["compute capability"] = "cuda-bindings is not installed"
    elif not bench.cuda.devices():
        facts["compute capability"] = "no GPU with a driver"
    else:
        facts["compute capability"] = bench.cuda.compute_capability()
    facts["TensorRT"] = _tensorrt(bench)
    facts["Python"] = platform.python_version()
    facts |= {name: _version(name) for name in PACKAGES}
    return [{"what": name, "found": value} for name, value in facts.items()]


def _tensorrt(bench: GpuBench) -> str:
    if bench.trt is None:
        return "not installed"
    known = getattr(bench.trt, "ComputeCapability", None)
    names = sorted(name for name in dir(known) if name.startswith(("SM", "CURRENT")))
    builds = f", builds for {', '.join(names)}" if names else ""
    return f"{runtime_name(bench.trt)} {bench.trt.__version__} ({bench.trt.__name__}){builds}"


def _nvidia_smi() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "nvidia-smi is not installed"
    done = subprocess.run(
        [program, f"--query-gpu={_QUERY}", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
