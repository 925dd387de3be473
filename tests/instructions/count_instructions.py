"""Counts the instructions of the compiled module's hot calls, and compares them with those kept.

    python -m tests.instructions.count_instructions [--keep]

Counts hold for one compiler: another one's are not compared, and --keep adds them.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.native_sources import NATIVE_SOURCES, ROOT, core_sources

PLACE = ROOT / "build" / "instructions"
KEPT = Path(__file__).with_name("counts.json")
CASES = Path(__file__).with_name("hot_calls.cpp")
COMPILER = "g++"
TOLERANCE = 0.03
"""Share by which a count may grow: the C library's own part differs a little by machine."""

_CASE = re.compile(r"^\s*([\d,]+) .*?:(case_\w+)", re.MULTILINE)


def main() -> None:
    """Counts, then compares or keeps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="write the counts down")
    keep = parser.parse_args().keep
    for program in (COMPILER, "valgrind"):
        if shutil.which(program) is None:
            print(f"No {program} at hand: instructions are not counted.", file=sys.stderr)
            return
    compiler = _first_line([COMPILER, "--version"])
    if "avx2" not in Path("/proc/cpuinfo").read_text():
        compiler += ", without AVX2"
    kept: dict[str, dict[str, int]] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    counts = count()
    if keep:
        kept[compiler] = counts
        KEPT.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
        return
    if compiler not in kept:
        print(f"No counts are kept for {compiler}: not compared; --keep adds them.")
        return
    grown = differences(kept[compiler], counts)
    print(*grown, sep="\n", file=sys.stderr)
    if grown:
        sys.exit("Slower than before: mend it, or keep the new counts with --keep and say why.")
    print(f"Instructions of {len(counts)} hot calls: as kept.")


def differences(kept: dict[str, int], counts: dict[str, int]) -> list[str]:
    """One line for each call that takes more instructions than are kept, or is not kept.

    >>> differences({"a": 1000, "b": 1000}, {"a": 1020, "b": 1100, "c": 5})
    ['b: 1,100 instructions, 10.0 % more than the 1,000 kept', 'c: 5 instructions, none kept']
    """
    lines = []
    for name, count in sorted(counts.items()):
        before = kept.get(name)
        if before is None:
            lines.append(f"{name}: {count:,} instructions, none kept")
        elif count > before * (1 + TOLERANCE):
            more = f"{100 * (count / before - 1):.1f} % more than the {before:,} kept"
            lines.append(f"{name}: {count:,} instructions, {more}")
    return lines


def count() -> dict[str, int]:
    """Instructions of each case of `hot_calls.cpp`, what it calls included."""
    PLACE.mkdir(parents=True, exist_ok=True)
    program, output = PLACE / "hot_calls", PLACE / "callgrind.out"
    # As the module is: one file of it alone has kernels with fused operations. No lines of the
    # source, so that a case is counted as a whole with what is inlined.
    flags = ["-std=c++17", "-O3", "-Wno-psabi", "-ffp-contract=fast", "-I", str(NATIVE_SOURCES)]
    sources = [str(CASES), *map(str, core_sources())]
    subprocess.run([COMPILER, *flags, *sources, "-o", str(program)], check=True)
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}"]
    subprocess.run([*tool, str(program)], check=True, capture_output=True)
    listed = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", "--auto=no", str(output)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    counts = {name: int(count.replace(",", "")) for count, name in _CASE.findall(listed)}
    cases = set(re.findall(r"^CASE (case_\w+)", CASES.read_text(), re.MULTILINE))
    assert counts.keys() == cases, listed
    return counts


def _first_line(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")[0]


if __name__ == "__main__":
    main()
