"""The places where Triton is looked for, and the errors if something is missing."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penchant.launch import tritonserver
from penchant.launch.errors import LaunchError
from penchant.launch.model_python import STUB
from penchant.launch.tritonserver import VARIABLE, Triton

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def executable(path: Path, text: str = "#!/bin/sh\nexit 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def install(root: Path, stub: str = "#!/bin/sh\nexit 1\n") -> Path:
    """Creates the files of a Triton as in NVIDIA's containers; returns its program."""
    executable(root / "backends" / "python" / STUB, stub)
    (root / "backends" / "python" / "libtriton_python.so").touch()
    (root / "TRITON_VERSION").write_text("2.60.0\n")
    return executable(root / "bin" / "tritonserver")


def test_the_variable_comes_first_then_the_path(tmp_path: Path) -> None:
    named, found = install(tmp_path / "named"), install(tmp_path / "found")
    environment = {"PATH": str(found.parent)}
    assert tritonserver.find_triton(environment).binary == found
    assert tritonserver.find_triton({**environment, VARIABLE: str(named)}).binary == named


def test_an_installed_triton_brings_its_own_stub_and_version(tmp_path: Path) -> None:
    triton = tritonserver.find_triton({VARIABLE: str(install(tmp_path))})
    assert triton.stub == tmp_path / "backends" / "python" / STUB
    assert triton.version == "2.60.0"
    assert not triton.needs_numpy_1


def test_a_variable_that_names_no_program_is_an_error() -> None:
    with pytest.raises(LaunchError, match="PENCHANT_TRITONSERVER: got '/nowhere'"):
        tritonserver.find_triton({VARIABLE: "/nowhere"})


def test_a_triton_without_a_python_backend_is_an_error(tmp_path: Path) -> None:
    binary = executable(tmp_path / "bin" / "tritonserver")
    with pytest.raises(LaunchError, match="no Python backend"):
        tritonserver.find_triton({VARIABLE: str(binary)})


def test_without_any_triton_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tritonserver, "find_spec", lambda name: None)
    monkeypatch.setattr(tritonserver, "INSTALLED", Path("/nowhere/tritonserver"))
    with pytest.raises(LaunchError, match=r"pip install nvidia-pytriton==0\.7\.0"):
        tritonserver.find_triton({"PATH": ""})


def test_an_unsupported_python_is_named_with_those_that_fit(tmp_path: Path) -> None:
    binary = install(tmp_path)
    for version in ("3.9", "3.10"):
        executable(tmp_path / "python_backend_stubs" / version / STUB)
    with pytest.raises(LaunchError, match=rf"got {RUNNING}.*expected one of 3.9, 3.10"):
        tritonserver.find_triton({VARIABLE: str(binary)})


def test_a_missing_libpython_is_named_with_its_package(tmp_path: Path) -> None:
    library = f"libpython{RUNNING}.so.1.0"
    text = f"#!/bin/sh\necho 'stub: error while loading shared libraries: {library}: no' >&2\n"
    triton = tritonserver.find_triton({VARIABLE: str(install(tmp_path, text))})
    with pytest.raises(LaunchError, match=rf"apt-get install libpython{RUNNING}"):
        tritonserver.check_stub(triton)


def test_a_stub_of_another_python_is_refused(tmp_path: Path) -> None:
    stub = "#!/bin/sh\n# libpython3.7.so.1.0\n"
    triton = tritonserver.find_triton({VARIABLE: str(install(tmp_path, stub))})
    with pytest.raises(LaunchError, match=r"is built for 3\.7"):
        tritonserver.check_stub(triton)


@pytest.mark.parametrize(
    ("server", "numpy", "fits"),
    [
        ("2.51.0", "1.26.4", True),
        ("2.51.0", "2.3.1", False),
        ("2.52.0", "2.3.1", True),
        ("", "2.3.1", True),
    ],
)
def test_numpy_2_is_refused_for_a_triton_of_numpy_1(server: str, numpy: str, fits: bool) -> None:
    triton = Triton(Path(), Path(), Path(), (), server)
    if fits:
        tritonserver.check_numpy(triton, numpy)
        return
    with pytest.raises(LaunchError, match=r"numpy==1\.26\.4"):
        tritonserver.check_numpy(triton, numpy)


def test_the_environment_puts_this_python_first_and_keeps_what_is_set(tmp_path: Path) -> None:
    triton = Triton(Path(), Path(), Path(), (tmp_path,), "")
    given = {"PATH": "/bin", "LD_LIBRARY_PATH": "/mine", "OMP_NUM_THREADS": "4", "PYTHONHOME": "/x"}
    result = tritonserver.environment_for(triton, given)
    assert result["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]
    assert result["LD_LIBRARY_PATH"] == f"{tmp_path}{os.pathsep}/mine"
    assert (result["OMP_NUM_THREADS"], result["OPENBLAS_NUM_THREADS"]) == ("4", "1")
    assert "PYTHONHOME" not in result


@pytest.mark.server
def test_the_wheels_triton_fits_this_environment() -> None:
    triton = tritonserver.find_triton()
    tritonserver.check_stub(triton)
    tritonserver.check_numpy(triton)
    assert "pytriton" not in sys.modules
