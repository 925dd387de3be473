"""Integrity: files compared with the checksums of a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from penchant.evaluation.gates.verdict import Finding, GateOutcome


def check_files(directory: Path, sha256: Mapping[str, str]) -> tuple[Finding, ...]:
    """Compares the files of a directory with a manifest; one finding per file, sorted by path.

    Args:
        directory: directory that holds the files.
        sha256: SHA-256 in hex by path, relative to the directory and with `/` as separator.
    """
    return tuple(_check(directory, name, sha256[name]) for name in sorted(sha256))


def _check(directory: Path, name: str, expected: str) -> Finding:
    fault = _fault(directory, name, expected)
    outcome = GateOutcome.REFUSED if fault else GateOutcome.PASSED
    return Finding("integrity", name, "SHA-256", outcome, note=fault)


def _fault(directory: Path, name: str, expected: str) -> str:
    path = directory / name
    if not path.resolve().is_relative_to(directory.resolve()):
        return f"lies outside of {directory}, where the manifest's files are expected"
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"can't be read in {directory} ({error.strerror})"
    if found == expected.lower():
        return ""
    return f"is not the file that the manifest names (SHA-256 {found[:12]}…, not {expected[:12]}…)"
