"""Finds a Triton on this machine, with a Python backend for this Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from penchant.launch.errors import LaunchError
from penchant.launch.model_python import STUB, python_of_stub

VARIABLE = "PENCHANT_TRITONSERVER"
"""Environment variable with the path of the tritonserver to use."""

INSTALLED = Path("/opt/tritonserver/bin/tritonserver")
"""Path of tritonserver in NVIDIA's containers."""

WHEEL = "nvidia-pytriton"
WHEEL_PIN = "nvidia-pytriton==0.7.0"

_SERVER_IN_WHEEL = {"0.7.0": "2.51.0"}
_FIRST_FOR_NUMPY_2 = (2, 52)


@dataclass(frozen=True, slots=True)
class Triton:
    """A Triton server, and the parts that run Python models in it."""

    binary: Path
    python_backend: Path
    """Directory of `libtriton_python.so` and `triton_python_backend_utils.py`."""
    stub: Path
    """The stub program for this Python."""
    libraries: tuple[Path, ...]
    """Directories for LD_LIBRARY_PATH, in order."""
    version: str
    """For example `2.51.0`; empty if unknown."""

    @property
    def needs_numpy_1(self) -> bool:
        """Whether its Python backend breaks with NumPy 2; False if the version is unknown."""
        numbers = tuple(int(part) for part in re.findall(r"\d+", self.version)[:2])
        return bool(numbers) and numbers < _FIRST_FOR_NUMPY_2


def find_triton(environment: Mapping[str, str] = os.environ) -> Triton:
    """The Triton to use: $PENCHANT_TRITONSERVER, or else an installed one, or else the wheel's.

    Args:
        environment: read for PENCHANT_TRITONSERVER and PATH.

    Raises:
        LaunchError: there is no Triton, or it has no Python backend for this Python.
    """
    named = environment.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK):
            raise LaunchError(f"{VARIABLE}: got {named!r}, expected the path of a program")
        return _at(Path(named).resolve())
    on_path = shutil.which("tritonserver", path=environment.get("PATH"))
    if on_path:
        return _at(Path(on_path).resolve())
    if os.access(INSTALLED, os.X_OK):
        return _at(INSTALLED)
    return _at(_wheel_root() / "bin" / "tritonserver")


def environment_for(triton: Triton, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment in which a Triton finds its libraries, this Python and its packages.

    The stub ignores PYTHONPATH and finds packages through the first `python3` on PATH.
    """
    result = dict(environment)
    result.pop("PYTHONHOME", None)
    path = [str(Path(sys.executable).parent), result.get("PATH", os.defpath)]
    result["PATH"] = os.pathsep.join(path)
    libraries = [str(directory) for directory in triton.libraries]
    if result.get("LD_LIBRARY_PATH"):
        libraries.append(result["LD_LIBRARY_PATH"])
    if libraries:
        result["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        result.setdefault(name, "1")
    return result


def check_stub(triton: Triton) -> None:
    """Runs the stub once, without work, to check that it loads and fits this Python.

    Raises:
        LaunchError: a library is missing, or the stub is built for another Python.
    """
    built_for, running = python_of_stub(triton.stub).version, _this_python()
    if built_for and built_for != running:
        raise LaunchError(
            f"Python: this is {running}, but the Python backend of {triton.binary} is built for "
            f"{built_for}; run penchant from a Python {built_for} environment"
        )
    try:
        done = subprocess.run(
            [triton.stub],
            env=environment_for(triton),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LaunchError(f"the Python backend's stub does not run: {error}") from error
    missing = re.search(r"loading shared libraries: (\S+):", done.stderr)
    if missing:
        raise LaunchError(_missing_text(missing.group(1)))


def check_numpy(triton: Triton, numpy_version: str | None = None) -> None:
    """Checks that the environment's NumPy works in this Triton's Python backend.

    Args:
        triton: the server.
        numpy_version: default: the installed version.

    Raises:
        LaunchError: NumPy is missing, or so new that it would crash the stubs.
    """
    if numpy_version is None:
        try:
            numpy_version = metadata.version("numpy")
        except metadata.PackageNotFoundError:
            raise LaunchError(
                "numpy: not installed; pip install 'penchant[backend]' numpy==1.26.4"
            ) from None
    if triton.needs_numpy_1 and not numpy_version.startswith("1."):
        raise LaunchError(
            f"numpy: got {numpy_version}, expected 1.26.4: Triton {triton.version} is built for "
            "numpy 1 and its Python models die with numpy 2; pip install numpy==1.26.4"
        )


def _at(binary: Path) -> Triton:
    """The Triton whose program is `<root>/bin/tritonserver`."""
    root = binary.parent.parent
    backend = root / "backends" / "python"
    if not (backend / "libtriton_python.so").is_file():
        raise LaunchError(
            f"{binary}: no Python backend in {backend}; name another tritonserver in "
            f"{VARIABLE}, or pip install {WHEEL_PIN}"
        )
    stubs = root / "python_backend_stubs"
    stub = backend / STUB
    if stubs.is_dir():
        stub = stubs / _this_python() / STUB
    if not stub.is_file():
        built = sorted((place.name for place in stubs.glob("3.*")), key=lambda v: int(v[2:]))
        expected = f"one of {', '.join(built)}" if built else f"one with {STUB} in {backend}"
        raise LaunchError(
            f"Python: got {_this_python()}, which the Python backend of {binary} is not built "
            f"for, expected {expected}"
        )
    return Triton(
        binary=binary,
        python_backend=backend,
        stub=stub,
        libraries=_libraries(root),
        version=_version(root),
    )


def _wheel_root() -> Path:
    spec = find_spec("pytriton")  # Not imported: that is slow and has side effects.
    for place in (spec.submodule_search_locations if spec else None) or ():
        root = Path(place) / "tritonserver"
        if (root / "bin" / "tritonserver").is_file():
            return root
    raise LaunchError(
        f"no Triton found: {VARIABLE} is not set, and there is no tritonserver on PATH, in "
        f"{INSTALLED.parent} or in the package {WHEEL}; pip install {WHEEL_PIN} brings one "
        "(Linux on x86-64, Python 3.8 to 3.13)"
    )


def _libraries(root: Path) -> tuple[Path, ...]:
    bundled = root.parent.parent / "nvidia_pytriton.libs"
    places = [bundled] if bundled.is_dir() else [root / "lib"]
    own, name = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("INSTSONAME")
    # A Python that is not the system's has its library in its own directory.
    if own and name and ".so" in name and not own.startswith("/usr/lib"):
        places.append(Path(own))
    return tuple(place for place in places if place.is_dir())


def _version(root: Path) -> str:
    named = root / "TRITON_VERSION"
    if named.is_file():
        return named.read_text().strip()
    if root.parent.name != "pytriton":
        return ""
    try:
        return _SERVER_IN_WHEEL.get(metadata.version(WHEEL), "")
    except metadata.PackageNotFoundError:
        return ""


def _this_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _missing_text(library: str) -> str:
    python = re.match(r"libpython(3\.\d+)\.so", library)
    if not python:
        return f"{library}: not found, and Triton's Python backend needs it"
    package = f"libpython{python.group(1)}"
    return (
        f"{library}: not found, and Triton's Python backend needs it; on Debian and Ubuntu: "
        f"apt-get install {package}; elsewhere, use a Python built with --enable-shared"
    )
