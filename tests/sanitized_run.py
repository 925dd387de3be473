"""Runs the tests that name the compiled module with a build of it under ASan and UBSan.

    python -m tests.sanitized_run [ARGUMENTS OF PYTEST]

It needs g++ with its sanitizers' libraries; without them it says so and ends well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.native_sources import ROOT

PLACE = ROOT / "build" / "native" / "sanitized"
COMPILER = "g++"
_NAMED = ("penchant_native", "native_module", "native_choice")


def main() -> None:
    """Builds, then becomes pytest."""
    libraries = [_library("libasan.so"), _library("libstdc++.so")]
    if not all(libraries):
        print("No g++ with AddressSanitizer at hand: nothing runs under it.", file=sys.stderr)
        return
    build = [sys.executable, "-P", "native/build_module.py", "--sanitized", str(PLACE)]
    subprocess.run(build, cwd=ROOT, env={**os.environ, "CXX": COMPILER}, check=True)
    environment = {
        **os.environ,
        "LD_PRELOAD": ":".join(libraries),
        # Python's own allocator would hide what lies behind an object.
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONPATH": str(PLACE),
        "OMP_NUM_THREADS": "1",
        "TEST_EXAMPLES": os.environ.get("TEST_EXAMPLES", "25"),
    }
    arguments = ["-q", "-p", "no:cacheprovider", "-m", "not server", *sys.argv[1:]]
    command = [sys.executable, "-m", "pytest", *arguments, *named_tests()]
    print("Under AddressSanitizer and UBSan:", flush=True)
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)


def named_tests() -> list[str]:
    """The files of tests that name the module."""
    found = []
    for folder in ("unit", "contracts"):
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            if any(name in path.read_text(encoding="utf-8") for name in _NAMED):
                found.append(str(path.relative_to(ROOT)))
    return found


def _library(name: str) -> str:
    """A library of the compiler; empty if it has none."""
    try:
        done = subprocess.run(
            [COMPILER, f"-print-file-name={name}"], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    path = Path(done.stdout.strip())
    return str(path.resolve()) if path.is_absolute() and path.exists() else ""


if __name__ == "__main__":
    main()
