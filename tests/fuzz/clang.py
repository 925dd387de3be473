"""A clang with libFuzzer: this machine's, or Debian's, unpacked below `build/` without root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.native_sources import ROOT

PLACE = ROOT / "build" / "clang"

_PACKAGES = (
    *("clang-{0}", "libclang-cpp{0}", "libllvm{0}"),
    *("libclang-common-{0}-dev", "libclang-rt-{0}-dev"),
)
_EMPTY = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }'


@dataclass(frozen=True, slots=True)
class Clang:
    """A compiler that makes fuzzers."""

    program: str
    environment: Mapping[str, str]

    def compile(self, arguments: list[str]) -> None:
        """Runs it.

        Raises:
            subprocess.CalledProcessError: it does not compile.
        """
        subprocess.run([self.program, *arguments], env=dict(self.environment), check=True)

    def makes_fuzzers(self) -> bool:
        """Whether it has libFuzzer and the sanitizers."""
        options = ["-fsanitize=fuzzer,address,undefined", "-x", "c++", "-", "-o", os.devnull]
        try:
            done = subprocess.run(
                [self.program, *options],
                input=_EMPTY.encode(),
                env=dict(self.environment),
                capture_output=True,
                check=False,
            )
        except OSError:
            return False
        return done.returncode == 0


def find_clang() -> Clang | None:
    """A clang that makes fuzzers, fetched if need be; None if there is none to be had."""
    own = Clang("clang++", os.environ)
    if own.makes_fuzzers():
        return own
    fetched = _unpacked() or _fetched()
    return fetched if fetched is not None and fetched.makes_fuzzers() else None


def _unpacked() -> Clang | None:
    for program in sorted(PLACE.glob("usr/lib/llvm-*/bin/clang++")):
        libraries = [*PLACE.glob("usr/lib/*-linux-gnu"), program.parents[1] / "lib"]
        path = os.pathsep.join(map(str, libraries))
        return Clang(str(program), {**os.environ, "LD_LIBRARY_PATH": path})
    return None


def _fetched() -> Clang | None:
    """Debian's packages, unpacked: 37 MB to fetch, 224 MB on disk, some 5 s."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    depends = subprocess.run(
        ["apt-cache", "depends", "clang"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"Depends: clang-(\d+)", depends)
    if version is None:
        return None
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    names = [package.format(version[1]) for package in _PACKAGES]
    apt = ["apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq", *names]
    if subprocess.run(apt, cwd=PLACE, capture_output=True, check=False).returncode:
        return None
    for package in PLACE.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, PLACE], check=True)
        package.unlink()
    return _unpacked()
