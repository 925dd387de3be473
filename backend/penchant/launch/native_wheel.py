"""The compiled module for the models of a Triton: found, checked against its Python, laid out."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from penchant.launch.errors import LaunchError
from penchant.launch.model_python import ModelPython, libc_of, machine_of

PACKAGE = "penchant_native"
DISTRIBUTION = "penchant-native"

_WHEEL = re.compile(
    r"penchant_native-(?P<version>[^-]+)-(?P<python>[^-]+)-(?P<abi>[^-]+)-[^-]+\.whl"
)
_LIBRARY = re.compile(r"(?:.*/)?_core\.(?:cpython-3(\d+)(\w*)-[^/]*|abi3)\.so")
_CPYTHON = re.compile(r"cp3(\d+)")
_STABLE_SINCE = "3.12"


@dataclass(frozen=True, slots=True)
class NativeModule:
    """A built module and what it is for."""

    source: Path
    """The wheel, or the folder of the installed package."""
    version: str
    python: str
    """For example `3.11`; with `stable`, the oldest that it is for."""
    abi: str
    """As wheels name it: `cp311`, or `abi3`."""
    machine: str
    libc: str

    def misfit(self, python: ModelPython, version: str) -> str:
        """Why the models of a Triton cannot load it; empty if nothing speaks against it.

        Args:
            python: the Python of the models.
            version: of the backend that it must belong to.
        """
        if self.version != version:
            return f"it is of release {self.version}, the backend of {version}"
        stable = self.abi == "abi3"
        if python.version:
            built, asked = _minor(self.python), _minor(python.version)
            if asked < built or (asked > built and not stable):
                newer = " or newer" if stable else ""
                return f"it is for Python {self.python}{newer}, the models run in {python.version}"
        if not stable and self.abi != f"cp3{_minor(self.python)}":
            return f"its ABI is {self.abi}, expected cp3{_minor(self.python)} or abi3"
        if python.machine and self.machine != python.machine:
            return f"it is for {self.machine} processors, the models run on {python.machine}"
        if python.libc and self.libc != python.libc:
            return f"it is for {self.libc}, the models run on {python.libc}"
        return ""


def read_wheel(path: Path) -> NativeModule:
    """The module in a wheel.

    Raises:
        LaunchError: the file is not a wheel of penchant-native.
    """
    named = _WHEEL.fullmatch(path.name)
    if named is None:
        raise LaunchError(
            f"native: got {path.name}, expected a wheel penchant_native-*.whl; "
            "`pip wheel --no-deps ./native` makes one for the Python that runs it"
        )
    cpython = _CPYTHON.fullmatch(named["python"])
    if cpython is None:
        raise LaunchError(
            f"native: {path.name} is for {named['python']}, expected CPython (cp311 and so on), "
            "which Triton's Python backend runs"
        )
    try:
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if _LIBRARY.fullmatch(name)]
            content = archive.read(names[0]) if names else b""
    except (OSError, BadZipFile) as error:
        raise LaunchError(f"native: {path} cannot be read: {error}") from error
    if not machine_of(content):
        raise LaunchError(f"native: {path.name} holds no compiled module; build it again")
    return NativeModule(
        path,
        named["version"],
        f"3.{cpython[1]}",
        named["abi"],
        machine_of(content),
        libc_of(content),
    )


def installed_module() -> NativeModule | None:
    """The module that is installed beside this command; None without one."""
    spec = find_spec(PACKAGE)  # Not imported: it may be for another interface.
    for place in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(place)
        for library in sorted(folder.glob("_core.*so")):
            named = _LIBRARY.fullmatch(library.name)
            try:
                version, content = metadata.version(DISTRIBUTION), library.read_bytes()
            except (metadata.PackageNotFoundError, OSError):
                continue
            if named is None:
                continue
            minor, flags = named.groups()
            return NativeModule(
                folder,
                version,
                f"3.{minor}" if minor else _STABLE_SINCE,
                f"cp3{minor}{flags}" if minor else "abi3",
                machine_of(content),
                libc_of(content),
            )
    return None


def write_module(module: NativeModule, folder: Path) -> None:
    """Copies the package into a folder of packages, such as the backend's.

    Raises:
        OSError: it cannot be written.
    """
    if module.source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(module.source, folder / PACKAGE, ignore=ignored)
        return
    with ZipFile(module.source) as archive:
        for name in archive.namelist():
            if name.startswith(f"{PACKAGE}/") and ".." not in Path(name).parts:
                archive.extract(name, folder)


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
