"""The parts of a GPU kit, each as a folder that is unpacked where it is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

_LARGE = (
    "accelerate cuda-bindings cuda-pathfinder grpcio ml-dtypes numpy onnx onnxruntime onnxscript "
    "peft protobuf psutil pyarrow scipy sentence-transformers tokenizers torch transformers"
)
PRESENT = frozenset(_LARGE.split())
"""What a machine for PyTorch has, in versions of its own, and what is too large to bring twice."""
EXTRAS = ("backend", "tensorrt")
LIBRARIES = "tensorrt-rtx-cu12-libs"
TRITON = ("nvidia-pytriton", "numpy")
SITE, SITE_TRITON = "site", "site-triton"
_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in (17, 24, 27, 28, 31, 34, 35)),
    *("manylinux2014_x86_64", "manylinux1_x86_64"),
)


def fill_packages(root: Path, python: str) -> None:
    """The small packages that the backend needs and a machine for PyTorch has not."""
    # An editable installation asks for `editables`, which the machine does not.
    names = sorted(missing_packages() - {LIBRARIES, "editables"})
    _unzip(_download(names, root.parent / "wheels", python), root / SITE)


def fill_tensorrt(root: Path, python: str) -> None:
    """TensorRT for RTX's libraries, by far the largest part."""
    _unzip(_download([LIBRARIES], root.parent / "wheels", python), root / SITE)


def fill_encoder(root: Path, python: str) -> None:
    """The default encoder's weights in half precision, where its package would lie."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    from penchant.encoder.source import PACKAGE, default_source

    model = root / SITE / PACKAGE / "model"
    shutil.copytree(default_source(), model, ignore=shutil.ignore_patterns("*.safetensors"))
    (model.parent / "__init__.py").touch()
    for path in sorted(default_source().glob("*.safetensors")):
        tensors = load_file(path)
        halves = {
            name: values.astype(np.float16) if values.dtype == np.float32 else values
            for name, values in tensors.items()
        }
        save_file(halves, model / path.name, metadata={"format": "pt"})


def fill_triton(root: Path, python: str) -> None:
    """Triton with the stub for one Python, and the NumPy that it is built for."""
    site = root / SITE_TRITON
    _unzip(_download(TRITON, root.parent / "wheels", python), site)
    stubs = site / "pytriton" / "tritonserver" / "python_backend_stubs"
    for stub in stubs.iterdir():
        if stub.name != python:
            shutil.rmtree(stub)
    for place in (*site.glob("numpy*/**/tests"), *site.glob("nvidia_pytriton.libs/libpython*")):
        shutil.rmtree(place) if place.is_dir() else place.unlink()


Fill = Callable[[Path, str], None]
"""Fills an empty folder with a component, for a Python such as 3.12."""
COMPONENTS: dict[str, Fill] = {
    "packages": fill_packages,
    "encoder": fill_encoder,
    "tensorrt": fill_tensorrt,
    "triton": fill_triton,
}
"""In the order of the loads: PyTorch's figures need the first two alone."""


def missing_packages(extras: Sequence[str] = EXTRAS) -> set[str]:
    """What `penchant` with these extras needs, and what those need in turn, but `PRESENT`.

    >>> {"lmdb", "cyclopts", "tensorrt-rtx-cu12-bindings"} <= missing_packages()
    True
    >>> "torch" in missing_packages()
    False
    """
    found: set[str] = set()
    waiting = [("penchant", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        for text in metadata.requires(name) or ():
            needed = Requirement(text)
            asked = any(
                needed.marker is None or needed.marker.evaluate({"extra": extra})
                for extra in (*wanted, "")
            )
            plain = re.sub(r"[-_.]+", "-", needed.name).lower()
            if asked and plain not in PRESENT | found:
                found.add(plain)
                waiting.append((plain, frozenset(needed.extras)))
    return found


def _download(names: Sequence[str], to: Path, python: str) -> list[Path]:
    """The wheels of these packages for a Python, in the versions installed here."""
    arguments = [f"{name}=={metadata.version(name)}" for name in names]
    arguments += ["--dest", str(to), "--no-deps", "--only-binary=:all:"]
    arguments += ["--implementation", "cp", "--python-version", python]
    for platform in _PLATFORMS:
        arguments += ["--platform", platform]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "download"]
    subprocess.run([*pip, *arguments], check=True)
    return sorted(to.glob("*.whl"))


def _unzip(wheels: Sequence[Path], to: Path) -> None:
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(to)
            for one in archive.infolist():
                mode = one.external_attr >> 16
                if mode & 0o111 and not one.is_dir():  # Triton and its stub are programs.
                    (to / one.filename).chmod(0o755)
