"""Installs a GPU kit: joins the pieces of its loads, checks them, unpacks them. Needs no network.

    python3 install.py --to /tmp/penchant-gpu

It lies in each load, uses nothing but the standard library, and says which components are complete.
Run it once for each load, in any order, from the checkout whose benchmark will be run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import shutil
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

MANIFEST = "manifest.json"
PATHS = "penchant-gpu-kit.pth"


def install(load: Path, to: Path) -> dict[str, bool]:
    """Adds the pieces of a load, and unpacks each component that is complete.

    Args:
        load: directory of a load.
        to: directory to unpack into; pieces of components that are not complete wait in it.

    Returns:
        Whether each component is complete, by name.

    Raises:
        ValueError: a piece is damaged.
    """
    manifest = json.loads((load / MANIFEST).read_text("utf-8"))
    waiting = to / "pieces"
    waiting.mkdir(parents=True, exist_ok=True)
    complete = {}
    for component in manifest["components"]:
        done = to / "done" / component["name"]
        for piece in component["pieces"]:
            if (load / piece["file"]).exists() and not done.exists():
                _check(load / piece["file"], piece["sha256"])
                shutil.copyfile(load / piece["file"], waiting / piece["file"])
        files = [waiting / piece["file"] for piece in component["pieces"]]
        if not done.exists() and all(file.exists() for file in files):
            _unpack(files, to)
            done.parent.mkdir(exist_ok=True)
            done.touch()
            for file in files:
                file.unlink()
        complete[component["name"]] = done.exists()
    return complete


def _check(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        got = hashlib.file_digest(file, "sha256").hexdigest()
    if got != sha256:
        raise ValueError(f"{path}: got SHA-256 {got[:12]}…, expected {sha256[:12]}…; copy it again")


def _unpack(files: list[Path], to: Path) -> None:
    joined = to / "joined.tar.xz"
    with joined.open("wb") as whole:
        for file in files:
            with file.open("rb") as piece:
                shutil.copyfileobj(piece, whole)
    with lzma.open(joined) as content, tarfile.open(fileobj=content) as archive:
        archive.extractall(to, filter="data")
    joined.unlink()


def add_paths(to: Path, checkout: Path) -> Path:
    """Makes this Python find the kit and the checkout, behind the packages that it has."""
    found = Path(sysconfig.get_path("purelib")) / PATHS
    _write_paths(found, [to / "site", *_parts(checkout)])
    return found


def triton_python(to: Path, checkout: Path) -> Path:
    """A Python whose NumPy is Triton's, before this Python's packages; returns its program.

    An environment and no variable: Triton's models take their packages from the first `python3` on
    PATH, and ignore PYTHONPATH.
    """
    environment = to / "venv-triton"
    venv.EnvBuilder(with_pip=False, symlinks=True, clear=True).create(environment)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = Path(sysconfig.get_path("purelib"))
    _write_paths(
        environment / "lib" / python / "site-packages" / PATHS,
        [to / "site-triton", own, to / "site", *_parts(checkout)],
    )
    return environment / "bin" / "python3"


def _parts(checkout: Path) -> list[Path]:
    return [checkout / part for part in ("proto", "sdk", "backend")]


def _write_paths(file: Path, places: list[Path]) -> None:
    file.write_text("".join(f"{place}\n" for place in places), "utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Installs with command-line arguments; returns 1 if a piece is damaged."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--load", type=Path, metavar="DIR", default=Path(__file__).parent)
    parser.add_argument("--to", type=Path, metavar="DIR", required=True)
    options = parser.parse_args(arguments)
    to = options.to.resolve()
    try:
        complete = install(options.load, to)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{add_paths(to, Path.cwd())}: this Python finds the kit and {Path.cwd()}")
    for name, whole in complete.items():
        print(f"{name}: {'complete' if whole else 'waits for more loads'}")
    print("Next:\n  python3 -m benchmarks.gpu")
    if complete.get("triton"):
        print(
            f"  {triton_python(to, Path.cwd())} -m benchmarks.gpu --part server --output out/served"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
