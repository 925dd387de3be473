"""What does the encoder do on this GPU?

    python -m benchmarks.gpu --output out/gpu
    python -m benchmarks.gpu --part card --part engines

Each part runs on its own, and says what is missing where it cannot. `make gpu` sets up and runs all
of it; docs/guides/gpu.md says how to bring it to a machine without a network.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.gpu.bench import GpuBench, Part, PartResult, Skipped, installed
from benchmarks.gpu.built_engines import build_engines
from benchmarks.gpu.card import describe_card
from benchmarks.gpu.gpu_laws import run_laws
from benchmarks.gpu.gpu_report import section, write_results
from benchmarks.gpu.served_rank import measure_served
from benchmarks.gpu.text_speed import measure_speed
from benchmarks.gpu.vector_agreement import compare_vectors
from penchant.encoder.bundle import read_bundle
from penchant.encoder.source import default_source

PARTS: dict[str, Part] = {
    "card": describe_card,
    "engines": build_engines,
    "vectors": compare_vectors,
    "laws": run_laws,
    "speed": measure_speed,
    "server": measure_served,
}


def run_part(name: str, bench: GpuBench) -> PartResult:
    """Runs one part; whatever happens in it is its result."""
    began_s = time.perf_counter()
    try:
        rows = PARTS[name](bench)
    except Skipped as why:
        return PartResult(name, 0.0, skipped=str(why))
    except Exception as error:  # noqa: BLE001  A part that breaks must not cost the others.
        failed = f"{type(error).__name__}: {error}".strip()[:400]
        return PartResult(name, round(time.perf_counter() - began_s, 1), failed=failed)
    return PartResult(name, round(time.perf_counter() - began_s, 1), rows=rows)


def encoder_of(source: Path, work: Path) -> Path:
    """The export of a source, made once in the work directory."""
    directory = work / "encoder"
    if not (directory / "encoder.json").exists():
        # Only here: beside the NumPy that Triton needs, a machine's pyarrow may not load.
        from penchant.training.export import ExportRequest, export_encoder

        print("Exporting the encoder", flush=True)
        export_encoder(ExportRequest(output=directory, source=source))
    return read_bundle(directory).directory


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark with command-line arguments; returns 1 if a part failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", action="append", choices=list(PARTS), help="default: all")
    parser.add_argument("--source", type=Path, metavar="DIR", help="default: all-MiniLM-L6-v2")
    parser.add_argument("--encoder", type=Path, metavar="DIR", help="default: export the source")
    parser.add_argument("--work", type=Path, metavar="DIR", default=Path("out/gpu-work"))
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path("out/gpu"))
    parser.add_argument("--quick", action="store_true", help="a few calls each")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    source = options.source or default_source()
    encoder = options.encoder or encoder_of(source, options.work)
    bench = installed(encoder, source, options.work, options.quick)
    results: list[PartResult] = []
    for name in options.part or PARTS:
        print(f"Part {name} begins", flush=True)
        results.append(run_part(name, bench))
        write_results(results, options.output)
        print(section(results[-1]), flush=True)
    print(f"Next:\n  put the tables of {options.output / 'gpu.md'} into docs/guides/gpu.md")
    return int(any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
