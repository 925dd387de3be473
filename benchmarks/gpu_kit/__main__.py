"""Packs what a GPU machine without a network lacks, in loads of a limited size.

    python -m benchmarks.gpu_kit --output build/gpu-kit

Each folder `load-N` holds pieces, the manifest of all, and the program that installs them there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.gpu_kit import install_kit
from benchmarks.gpu_kit.components import COMPONENTS

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class KitRequest:
    """What to pack, for which Python, in loads of which size."""

    output: Path
    """Directory to write; a kit there is replaced."""
    python: str = "3.12"
    """Version of the machine's Python."""
    load_mib: int = 50
    """Largest size of a load, 1 or more."""
    effort: int = 6
    """Of the compression, 0 to 9: 6 takes six minutes and 0 one."""
    components: Sequence[str] = tuple(COMPONENTS)
    """Names of components, in the order of the loads."""


def pack(request: KitRequest) -> list[Path]:
    """Writes a kit and returns its loads.

    Raises:
        FileExistsError: the output is a folder that holds something else.
    """
    if request.output.exists() and any(request.output.iterdir()):
        if not (request.output / "load-1" / install_kit.MANIFEST).exists():
            raise FileExistsError(f"{request.output} holds something else than a kit")
        shutil.rmtree(request.output)
    request.output.mkdir(parents=True, exist_ok=True)
    told: list[dict[str, object]] = []
    loads = _Loads(request.output, request.load_mib * MIB)
    with tempfile.TemporaryDirectory(prefix="penchant-gpu-kit-") as temporary:
        for name in request.components:
            print(f"Packing {name}", flush=True)
            root = Path(temporary) / name / "root"
            root.mkdir(parents=True)
            COMPONENTS[name](root, request.python)
            packed = _compress(root, Path(temporary) / f"{name}.tar.xz", request.effort)
            told.append({"name": name, "pieces": loads.add(name, packed)})
            shutil.rmtree(root.parent)
            packed.unlink()
    manifest = json.dumps({"python": request.python, "components": told}, indent=1) + "\n"
    for load in loads.folders:
        (load / install_kit.MANIFEST).write_text(manifest, "utf-8")
        shutil.copyfile(install_kit.__file__, load / "install.py")
    return loads.folders


def _compress(root: Path, to: Path, effort: int) -> Path:
    with (
        lzma.open(to, "wb", preset=effort) as content,
        tarfile.open(fileobj=content, mode="w") as t,
    ):
        for path in sorted(root.iterdir()):
            t.add(path, path.name)
    return to


class _Loads:
    """Folders that are filled one after the other; what does not fit is cut."""

    def __init__(self, output: Path, limit: int) -> None:
        self._output, self._limit, self._left = output, limit, 0
        self.folders: list[Path] = []

    def add(self, name: str, packed: Path) -> list[dict[str, str]]:
        pieces: list[dict[str, str]] = []
        with packed.open("rb") as content:
            while True:
                if self._left <= 0:
                    self._begin()
                piece = content.read(self._left)
                if not piece:
                    return pieces
                file = f"{name}.{len(pieces) + 1:02}"
                (self.folders[-1] / file).write_bytes(piece)
                pieces.append({"file": file, "sha256": hashlib.sha256(piece).hexdigest()})
                self._left -= len(piece)

    def _begin(self) -> None:
        self.folders.append(self._output / f"load-{len(self.folders) + 1}")
        self.folders[-1].mkdir()
        self._left = self._limit


def main(arguments: list[str] | None = None) -> int:
    """Packs with command-line arguments; returns 1 where the output holds something else."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, metavar="DIR", default=Path("build/gpu-kit"))
    parser.add_argument("--python", default="3.12", help="default: %(default)s")
    parser.add_argument("--load-mib", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--effort", type=int, default=6, help="default: %(default)s")
    options = parser.parse_args(arguments)
    request = KitRequest(options.output, options.python, options.load_mib, options.effort)
    try:
        loads = pack(request)
    except FileExistsError as error:
        print(f"{error}; name another --output", file=sys.stderr)
        return 1
    for load in loads:
        size = sum(file.stat().st_size for file in load.iterdir())
        print(f"{load}: {size / MIB:.1f} MiB")
    print("Next, on the machine, in a checkout of Penchant, for each load:")
    print(f"  python3 {loads[0]}/install.py --to /tmp/penchant-gpu")
    return 0


if __name__ == "__main__":
    sys.exit(main())
