"""Builds the wheel of `penchant_native` and installs it, or says in one line why not.

    python -P native/build_module.py [--into PYTHON] [--sanitized DIRECTORY]

With the C++ compiler of this machine ($CXX, c++, g++ or clang++), else with the one that PyPI's
ziglang carries. Without either, without Python's headers, or after a build that failed, Penchant
runs by NumPy as before: the exit status is 0, and the line begins with `Without penchant_native`.
What was compiled stays in `build/native`, so that a second build compiles what changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "native"
BUILD = ROOT / "build" / "native"
LOG = BUILD / "build.log"
COMPILERS = ("c++", "g++", "clang++")
ZIG = "ziglang"
OLDEST_CMAKE = (3, 18)
SANITIZERS = "address,undefined"

_NO_COMPILER = (
    "no C++ compiler, and PyPI's ziglang cannot be installed; on Debian or Ubuntu: "
    "apt install g++, then make native"
)
_TOOLS = {"scikit_build_core": "scikit-build-core", "nanobind": "nanobind", "ninja": "ninja"}
"""Packages that build, by the name of their module."""


class NotBuilt(Exception):
    """The module cannot be built here; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler, and the environment in which CMake takes it."""

    name: str
    """For people to read, and for the name of its build directory."""
    environment: Mapping[str, str] = field(default_factory=dict)


def main() -> None:
    """Builds, installs and says what was done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", default=sys.executable, help="Python to install into")
    parser.add_argument("--sanitized", type=Path, help="directory for a build with sanitizers")
    arguments = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    LOG.write_text("")
    try:
        check_headers()
        compiler = find_compiler()
        install_tools()
        wheel = build(compiler, sanitized=arguments.sanitized is not None)
        if arguments.sanitized is not None:
            pip(["install", "--no-deps", "--upgrade", "--target", arguments.sanitized, wheel])
            return
        install(wheel, arguments.into)
    except NotBuilt as error:
        if arguments.sanitized is not None:
            sys.exit(str(error))
        # A module of an older release would answer by older rules.
        pip(["uninstall", "--yes", "penchant-native"], python=arguments.into, check=False)
        print(f"Without penchant_native, rank and feedback run by NumPy: {error}", flush=True)
        return
    print(f"Built penchant_native by {compiler.name}.", flush=True)


def check_headers(include: Path | None = None) -> None:
    """Checks that Python's headers are here.

    Raises:
        NotBuilt: they are not.
    """
    place = include or Path(sysconfig.get_path("include"))
    if not (place / "Python.h").is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise NotBuilt(
            f"no Python.h in {place}; on Debian or Ubuntu: apt install python{version}-dev"
        )


def install_tools() -> None:
    """Installs what builds: pinned, and only what is missing."""
    missing = [package for module, package in _TOOLS.items() if find_spec(module) is None]
    if shutil.which("cmake") is None or _cmake_version() < OLDEST_CMAKE:
        missing.append("cmake")
    if missing:
        pip(
            ["install", "-c", ROOT / "constraints.txt", *missing],
            why="its build tools cannot be installed",
        )


def find_compiler(environment: Mapping[str, str] = os.environ) -> Compiler:
    """The compiler of this machine, or PyPI's, which is installed if it has to be.

    Raises:
        NotBuilt: there is none that works.
    """
    named = environment.get("CXX")
    for name in [named] if named else COMPILERS:
        if works(name.split(), environment):
            return Compiler(name, {"CXX": name})
    if named:
        raise NotBuilt(f"CXX: got {named!r}, expected a compiler of C++17")
    if find_spec(ZIG) is None:
        pip(["install", "-c", ROOT / "constraints.txt", ZIG], why=_NO_COMPILER)
    return zig()


def works(command: Sequence[str], environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a command compiles and links C++17."""
    program = (
        "#include <vector>\nint main() { if constexpr (true) return std::vector<int>().size(); }"
    )
    try:
        done = subprocess.run(
            [*command, "-std=c++17", "-x", "c++", "-", "-o", os.devnull],
            input=program.encode(),
            env=dict(environment),
            capture_output=True,
            timeout=300,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def zig() -> Compiler:
    """PyPI's compiler, as programs that CMake can call."""
    folder = BUILD / "zig"
    folder.mkdir(parents=True, exist_ok=True)
    # As the module is linked, from CMake's first trial on: Zig compiles its C++ library anew for
    # each kind of code.
    kind = " -O2 -s -fPIC"
    for name, options in (("c++", kind), ("cc", kind), ("ar", ""), ("ranlib", "")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang {name}{options} "$@"\n')
        program.chmod(0o755)
    names = (("CXX", "c++"), ("CC", "cc"), ("AR", "ar"), ("RANLIB", "ranlib"))
    print("Compiling by PyPI's ziglang; its C++ library once takes a minute ...", flush=True)
    return Compiler(ZIG, {variable: str(folder / name) for variable, name in names})


def build(compiler: Compiler, *, sanitized: bool = False) -> Path:
    """Builds the wheel for this Python.

    Raises:
        NotBuilt: the build fails; its output is in `build/native/build.log`.
    """
    kind = re.sub(r"[^\w-]", "x", Path(compiler.name).name) + ("-sanitized" if sanitized else "")
    wheels = BUILD / "wheels" / kind
    shutil.rmtree(wheels, ignore_errors=True)
    options = [f"build-dir={BUILD / kind}-{{wheel_tag}}"]
    if sanitized:
        options += [f"cmake.define.PENCHANT_SANITIZE={SANITIZERS}", "install.strip=false"]
    pip(
        [
            *("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", wheels),
            *(f"--config-settings={option}" for option in options),
            SOURCES,
        ],
        environment={**os.environ, **compiler.environment},
        why=f"{compiler.name} cannot build it",
    )
    (wheel,) = wheels.glob("*.whl")
    return wheel


def install(wheel: Path, python: str) -> None:
    """Installs the wheel into a Python, and imports it there.

    Raises:
        NotBuilt: it cannot be imported.
    """
    pip(
        ["install", "--no-deps", "--force-reinstall", wheel],
        python=python,
        why="it cannot be installed",
    )
    done = subprocess.run(
        [python, "-P", "-c", "import penchant_native"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotBuilt(f"it does not load: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def pip(
    arguments: Sequence[str | Path],
    *,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
    why: str = "",
    check: bool = True,
) -> None:
    """Runs pip; its output is added to `build/native/build.log`.

    Raises:
        NotBuilt: pip fails, and `check` is set.
    """
    with LOG.open("a", encoding="utf-8") as output:
        done = subprocess.run(
            [
                python,
                "-m",
                "pip",
                "--disable-pip-version-check",
                "--no-input",
                *map(str, arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if check and done.returncode:
        raise NotBuilt(f"{why}; see {LOG.relative_to(ROOT)}")


def _cmake_version() -> tuple[int, ...]:
    done = subprocess.run(["cmake", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


if __name__ == "__main__":
    main()
