"""Generates `penchant_proto` from the `.proto` files; `--check` fails where it is out of date.

    python proto/generate.py            writes the generated modules and their type stubs
    python proto/generate.py --check    writes nothing; exit status 1 names each file that differs

The Python package of the protobuf package `penchant.v1` is `penchant_proto.v1`, because `penchant`
is the backend's own package. Each file is therefore compiled from a copy with another path and
other imports.
"""

from __future__ import annotations

import argparse
import importlib.resources
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
PACKAGE = "penchant_proto"


def stage(source: Path, staged: Path) -> list[str]:
    """Copies the `.proto` files below `staged`, for protoc; returns their staged names."""
    names = []
    for proto in sorted((source / "penchant").rglob("*.proto")):
        name = f"{PACKAGE}/{proto.relative_to(source / 'penchant').as_posix()}"
        target = staged / name
        target.parent.mkdir(parents=True, exist_ok=True)
        text = proto.read_text().replace('import "penchant/', f'import "{PACKAGE}/')
        target.write_text(text)
        names.append(name)
    return names


def generate(output: Path) -> None:
    """Writes all generated modules below `output`; raises SystemExit with protoc's status."""
    with tempfile.TemporaryDirectory() as directory:
        staged = Path(directory)
        names = stage(ROOT, staged)
        well_known = importlib.resources.files("grpc_tools") / "_proto"
        arguments = [f"-I{staged}", f"-I{well_known}", f"--python_out={output}"]
        status = protoc.main(["protoc", *arguments, f"--pyi_out={output}", *names])
    if status != 0:
        raise SystemExit(status)


def generated_files(root: Path) -> dict[str, bytes]:
    """Maps each generated file's path, relative to `root`, to its contents."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for pattern in ("*_pb2.py", "*_pb2.pyi")
        for path in sorted((root / PACKAGE).rglob(pattern))
    }


def out_of_date() -> list[str]:
    """Names of the committed files that differ from the ones generated now."""
    with tempfile.TemporaryDirectory() as directory:
        generate(Path(directory))
        fresh = generated_files(Path(directory))
    committed = generated_files(ROOT)
    return sorted(
        name for name in fresh.keys() | committed.keys() if fresh.get(name) != committed.get(name)
    )


def main() -> None:
    """Runs the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    if not parser.parse_args().check:
        generate(ROOT)
        return
    stale = out_of_date()
    for name in stale:
        print(f"proto/{name} is out of date: run `make generate`", file=sys.stderr)
    raise SystemExit(1 if stale else 0)


if __name__ == "__main__":
    main()
