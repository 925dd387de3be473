"""The hand-written Python files of the repository, and what each imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "backend", "sdk", "proto", "benchmarks", "loadtest", "examples", "tests", "deploy", "docs",
)  # fmt: skip


def hand_written(*folders: str) -> Iterator[Path]:
    """Yields the Python files below `folders` that no program generated."""
    for folder in folders or SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not path.name.endswith("_pb2.py"):
                yield path


@cache
def imports(path: Path) -> frozenset[str]:
    """The absolute names of the modules that a file imports, anywhere in it.

    `from a import b` gives both `a` and `a.b`: `b` may be a module.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: line {node.lineno}: imports are absolute here"
            assert node.module is not None
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def packages(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {name.partition(".")[0] for name in imports(path)}


def relative(path: Path) -> str:
    """A file's path as a message should show it."""
    return path.relative_to(ROOT).as_posix()
