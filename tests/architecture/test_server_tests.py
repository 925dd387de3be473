"""`make test-server` looks for tests that start a Triton in some places alone: all lie there."""

from __future__ import annotations

import ast
import re

from tests.architecture.source_tree import ROOT, hand_written, relative


def test_every_test_that_starts_a_triton_lies_where_make_looks_for_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.search(r"^SERVER_TESTS := (.*)$", makefile, re.MULTILINE)
    assert found is not None
    places = found[1].split()
    assert [place for place in places if not (ROOT / place).exists()] == []
    marked = [
        relative(path)
        for path in hand_written()
        if path.name.startswith("test_") and _marks_server(path.read_text(encoding="utf-8"))
    ]
    assert len(marked) > 30
    elsewhere = [
        name for name in marked if not any(f"{name}/".startswith(f"{place}/") for place in places)
    ]
    assert elsewhere == []


def _marks_server(text: str) -> bool:
    """Whether a file says `pytest.mark.server` anywhere."""
    return any(
        ast.unparse(node) == "pytest.mark.server"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
    )
