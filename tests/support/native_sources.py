"""The files of the compiled module that know nothing of Python: what fuzzers and counters link."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NATIVE_SOURCES = ROOT / "native" / "src"


def core_sources() -> list[Path]:
    """All but those that bind."""
    return [path for path in sorted(NATIVE_SOURCES.glob("*.cpp")) if not _binds(path)]


def _binds(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return "nanobind" in text or '"bindings.hpp"' in text
