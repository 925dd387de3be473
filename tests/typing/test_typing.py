"""What type checkers must accept, and what they must refuse, in code that uses the SDK."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from mypy import api

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_MARKER = re.compile(r"# E: ([a-z -]+)$")
_ERROR = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<code>[a-z-]+)\]$")

Place = tuple[str, int, str]
"""File, line and the error's code."""


def expected() -> Counter[Place]:
    """The errors that the markers of the rejected files announce."""
    return Counter(
        (f"rejected/{file.name}", number, code)
        for file in (HERE / "rejected").glob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (marker := _MARKER.search(line))
        for code in marker[1].split()
    )


def reported(monkeypatch: pytest.MonkeyPatch) -> Counter[Place]:
    """The errors that mypy reports, with the settings and the cache of `make check`."""
    monkeypatch.chdir(ROOT)  # The search path of the settings is relative.
    files = sorted(
        str(file) for kind in ("accepted", "rejected") for file in (HERE / kind).glob("*.py")
    )
    options = ["--no-error-summary", "--hide-error-context", "--no-pretty", "--no-color-output"]
    output, problems, _ = api.run(["--config-file=pyproject.toml", *options, *files])
    assert problems == ""
    errors = [_ERROR.match(line) for line in output.splitlines() if ": error: " in line]
    assert all(errors), output
    return Counter(
        (str(Path(error["file"]).resolve().relative_to(HERE)), int(error["line"]), error["code"])
        for error in errors
        if error
    )


def test_accepted_code_passes_and_rejected_code_fails_where_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = expected()
    assert wanted.total() > 20
    assert reported(monkeypatch) == wanted
