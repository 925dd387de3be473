"""The compiled module is laid out for the Python that it was built for, and refused for others."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from penchant.launch import install, layout
from penchant.launch.diagnosis import check_hot_path
from penchant.launch.errors import LaunchError
from penchant.launch.install import Installation, InstallRequest
from penchant.launch.model_python import STUB, python_of_stub
from penchant.launch.native_wheel import NativeModule, installed_module
from penchant.launch.tritonserver import find_triton
from penchant.system.native_module import NATIVE_VARIABLE, NativeChoice
from tests.support.command import run
from tests.unit.launch.standin import write_sources

VERSION = metadata.version("penchant")
X86, ARM = 0x3E, 0xB7
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"


def elf(machine: int = X86, library: bytes = b"libc.so.6", python: str = "") -> bytes:
    """As much of a program or library as tells what it is for."""
    head = b"\x7fELF\x02\x01\x01" + bytes(11) + machine.to_bytes(2, "little")
    return head + library + b"\0" + (f"libpython{python}.so.1.0".encode() if python else b"")


def wheel(directory: Path, tags: str = "cp312-cp312", content: bytes = b"") -> Path:
    """A wheel such as `native/build_module.py` builds, with those tags."""
    path = directory / f"penchant_native-{VERSION}-{tags}-linux_x86_64.whl"
    abi = tags.partition("-")[2]
    suffix = "abi3" if abi == "abi3" else f"cpython-{abi[2:]}-x86_64-linux-gnu"
    with ZipFile(path, "w") as archive:
        archive.writestr("penchant_native/__init__.py", "")
        archive.writestr(f"penchant_native/_core.{suffix}.so", content or elf())
        archive.writestr(f"penchant_native-{VERSION}.dist-info/METADATA", "")
    return path


@pytest.fixture
def request_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallRequest:
    """An installation into a Triton whose models run in Python 3.12."""
    sources = write_sources(tmp_path)
    monkeypatch.setattr(layout, "find_sources", lambda: sources)
    backends = tmp_path / "backends"
    (backends / "python").mkdir(parents=True)
    (backends / "python" / STUB).write_bytes(elf(python="3.12"))
    return InstallRequest(backends, tmp_path / "models", "lmdb:/s", Path("/e"), create=True)


def installed(request: InstallRequest, native: Path | None) -> Installation:
    return install.install(
        InstallRequest(
            request.backends, request.models, request.store, request.encoder, native=native,
            create=True,
        )
    )  # fmt: skip


@pytest.mark.parametrize("tags", ["cp312-cp312", "cp312-abi3"])
def test_a_wheel_for_the_python_of_the_models_is_laid_beside_the_backend(
    request_of: InstallRequest, tmp_path: Path, tags: str
) -> None:
    done = installed(request_of, wheel(tmp_path, tags))
    assert done.native is not None
    assert done.without_native == ""
    package = request_of.backends / "penchant" / "penchant_native"
    assert len(list(package.iterdir())) == 2
    # Another installation, without one, leaves none behind.
    (request_of.backends / "python" / STUB).write_bytes(elf(python="3.9"))
    assert installed(request_of, None).native is None
    assert not package.exists()


@pytest.mark.parametrize(
    ("tags", "content", "said"),
    [
        ("cp311-cp311", elf(), "it is for Python 3.11, the models run in 3.12"),
        ("cp313-abi3", elf(), "it is for Python 3.13 or newer, the models run in 3.12"),
        ("cp312-cp312d", elf(), "its ABI is cp312d, expected cp312 or abi3"),
        ("cp312-cp312", elf(ARM), "it is for aarch64 processors, the models run on x86_64"),
        ("cp312-cp312", elf(X86, b"libc.musl-x86_64.so.1"), "it is for musl, the models run on g"),
        ("pp312-pypy312_pp73", elf(), "is for pp312, expected CPython"),
        ("cp312-cp312", b"no library", "holds no compiled module"),
    ],
)
def test_a_wheel_that_does_not_fit_is_refused_by_name_and_nothing_is_written(
    request_of: InstallRequest, tmp_path: Path, tags: str, content: bytes, said: str
) -> None:
    path = wheel(tmp_path, tags, content)
    with pytest.raises(LaunchError, match=path.name) as refusal:
        installed(request_of, path)
    assert said in str(refusal.value)
    assert not (request_of.backends / "penchant").exists()
    assert not request_of.models.exists()


@pytest.mark.parametrize("name", ["numpy-1.26.4-cp311-cp311-linux_x86_64.whl", "gone.whl"])
def test_a_file_that_is_no_wheel_of_the_module_is_refused(
    request_of: InstallRequest, tmp_path: Path, name: str
) -> None:
    with pytest.raises(LaunchError, match="expected a wheel penchant_native"):
        installed(request_of, tmp_path / name)


def test_a_wheel_of_another_release_is_refused(request_of: InstallRequest, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    other = path.rename(path.with_name(path.name.replace(VERSION, "9.9.9")))
    with pytest.raises(LaunchError, match=f"it is of release 9.9.9, the backend of {VERSION}"):
        installed(request_of, other)


@pytest.mark.parametrize("module", [None, "3.11"])
def test_what_does_not_fit_is_left_out_where_nobody_named_it(
    request_of: InstallRequest, monkeypatch: pytest.MonkeyPatch, module: str | None
) -> None:
    found = None
    if module is not None:
        found = NativeModule(Path("/gone"), VERSION, module, "cp311", "x86_64", "glibc")
    monkeypatch.setattr(install, "installed_module", lambda: found)
    done = installed(request_of, None)
    assert done.native is None
    assert done.without_native
    assert (request_of.backends / "penchant" / "model.py").is_file()
    assert not (request_of.backends / "penchant" / "penchant_native").exists()
    places = ["--backends", str(request_of.backends), "--models", str(request_of.models)]
    said = run(["install", *places, "--store", "lmdb:/s", "--encoder", "/e"])
    assert said.exit_code == 0, said.output
    assert f"Without the compiled module: {done.without_native}." in said.output


def test_the_stub_of_a_real_triton_tells_its_python() -> None:
    assert python_of_stub(find_triton().stub).version == RUNNING
    stubs = find_triton().stub.parents[1]
    versions = {path.parent.name for path in stubs.glob(f"3.*/{STUB}")}
    assert {python_of_stub(stubs / one / STUB).version for one in versions} == versions
    assert {python_of_stub(stubs / one / STUB).machine for one in versions} == {"x86_64"}
    assert {python_of_stub(stubs / one / STUB).libc for one in versions} == {"glibc"}


def test_the_installed_module_fits_a_triton_of_this_python_and_no_other() -> None:
    module = installed_module()
    if module is None:
        pytest.skip("penchant_native is not installed")
    own = python_of_stub(find_triton().stub)
    assert module.misfit(own, VERSION) == ""
    other = find_triton().stub.parents[1] / "3.9" / STUB
    assert "the models run in 3.9" in module.misfit(python_of_stub(other), VERSION)


def test_doctor_says_what_runs_and_what_to_do() -> None:
    without = check_hot_path(NativeChoice(False, "NumPy: penchant_native: not installed"))
    assert (without.state, "not installed" in without.found) == ("warn", True)
    assert "make native" in without.advice
    off = check_hot_path(NativeChoice(False, f"NumPy: {NATIVE_VARIABLE}=off"))
    assert off.state == "skip"
    here = check_hot_path()
    assert (here.state == "ok") == (installed_module() is not None)
