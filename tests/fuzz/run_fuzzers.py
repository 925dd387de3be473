"""Fuzzes the compiled module's readers under AddressSanitizer and UBSan, from seeds.

    python -m tests.fuzz.run_fuzzers --seconds 10

What a fuzzer finds goes to `build/fuzz/found`, and fails. Add it to `tests/fuzz/found/TARGET`,
which all later runs begin with.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.clang import Clang, find_clang
from tests.fuzz.seeds import SEEDS
from tests.support.native_sources import NATIVE_SOURCES, ROOT, core_sources

PLACE = ROOT / "build" / "fuzz"
FOUND = Path(__file__).with_name("found")
OPTIONS = (
    *("-std=c++17", "-g", "-O1", "-fno-omit-frame-pointer", "-ffp-contract=off"),
    *("-fno-sanitize-recover=all", "-Wno-psabi"),
    *("-I", str(NATIVE_SOURCES)),
)
MAX_BYTES = 8192


def main() -> None:
    """Compiles the fuzzers, two at a time, and runs them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=10, help="of each fuzzer")
    parser.add_argument("--seed", type=int, default=1, help="of their mutations; 0: another each")
    arguments = parser.parse_args()
    clang = find_clang()
    if clang is None:
        print("No clang with libFuzzer at hand: the fuzzers are not run.", file=sys.stderr)
        return
    with ThreadPoolExecutor(2) as pool:
        objects = [*pool.map(lambda path: compiled(clang, path), core_sources())]
        programs = [*pool.map(lambda name: linked(clang, name, objects), SEEDS)]
        limits = (f"-max_total_time={arguments.seconds}", f"-seed={arguments.seed}")
        failed = [*pool.map(lambda program: fuzz(program, limits), programs)]
    if any(failed):
        sys.exit(f"The fuzzers found faults; what fails lies in {PLACE.relative_to(ROOT)}/found.")


def compiled(clang: Clang, source: Path) -> Path:
    """One file of the module, instrumented."""
    target = PLACE / "objects" / f"{source.stem}.o"
    target.parent.mkdir(parents=True, exist_ok=True)
    sanitizers = "-fsanitize=fuzzer-no-link,address,undefined"
    clang.compile([*OPTIONS, sanitizers, "-c", str(source), "-o", str(target)])
    return target


def linked(clang: Clang, name: str, objects: Sequence[Path]) -> Path:
    """The fuzzer of a target."""
    program = PLACE / name
    target = Path(__file__).parent / "targets" / f"fuzz_{name}.cpp"
    sanitizers = "-fsanitize=fuzzer,address,undefined"
    clang.compile([*OPTIONS, sanitizers, str(target), *map(str, objects), "-o", str(program)])
    return program


def fuzz(program: Path, limits: Sequence[str]) -> bool:
    """Runs a fuzzer from its seeds; whether it found a fault."""
    name = program.name
    seeds, found = PLACE / "seeds" / name, PLACE / "found" / name
    for folder in (seeds, found):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]()):
        (seeds / f"{number:03}").write_bytes(seed)
    corpora = [folder for folder in (seeds, FOUND / name) if folder.is_dir()]
    done = subprocess.run(
        [
            *(str(program), *limits, f"-max_len={MAX_BYTES}", "-timeout=5"),
            *("-print_final_stats=1", f"-artifact_prefix={found}/", *map(str, corpora)),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    (PLACE / f"{name}.log").write_text(done.stderr)
    if done.returncode:
        print(f"fuzz {name}: FAILED\n{done.stderr[-4000:]}", file=sys.stderr)
        return True
    stats = dict(
        line.removeprefix("stat::").split(":", 1)
        for line in done.stderr.splitlines()
        if line.startswith("stat::")
    )
    runs = int(stats.get("number_of_executed_units", "0"))
    print(f"fuzz {name}: {runs:,} inputs, nothing found", flush=True)
    return False


if __name__ == "__main__":
    main()
