"""One name means one thing, and no files import each other in a circle."""

from __future__ import annotations

import ast
import graphlib
from collections import defaultdict

import grimp

from tests.architecture.source_tree import hand_written, relative

ROOTS = ("backend", "sdk", "demos", "benchmarks", "loadtest")
TWINS = frozenset({"backend/penchant/domain", "backend/penchant/service", "sdk/penchant_sdk"})
"""The SDK's types and the server's own mirror the same wire messages and may share their names."""

ONE_A_PLACE = frozenset({"__init__.py", "__main__.py", "model.py", "base.py", "errors.py"})
"""Files that several packages have: `base.py` holds the Protocol of one, `errors.py` its errors."""
SDK_SHAPE = frozenset({"aio.py", "client.py", "types.py", "errors.py", "_operations.py"})
"""Files that the SDK's core and its domain clients have alike."""


def test_imports_never_go_in_circles_even_between_files() -> None:
    graph = grimp.build_graph("penchant", "penchant_sdk", "penchant_proto")
    files = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    graphlib.TopologicalSorter(files).prepare()  # Raises CycleError, which names the circle.


def test_no_two_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in hand_written(*ROOTS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(relative(path))
    shared = {name: places for name, places in homes.items() if not _may_share(places)}
    assert shared == {}


def test_no_two_files_share_a_name() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in hand_written(*ROOTS):
        homes[path.name].append(relative(path))
    shared = {
        name: places
        for name, places in homes.items()
        if name not in ONE_A_PLACE and len(_apart(name, places)) > 1
    }
    assert shared == {}


def _may_share(places: list[str]) -> bool:
    """A class has one home, or one in the SDK and one in the server."""
    if any(not place.startswith(tuple(TWINS)) for place in places):
        return len(places) == 1
    sdk = [place for place in places if place.startswith("sdk/")]
    return len(sdk) <= 1 and len(places) - len(sdk) <= 1


def _apart(name: str, places: list[str]) -> list[str]:
    """The places where a name stands for different things.

    A command, a verb's service and its messages are named alike; the SDK's clients have
    modules alike, and its types mirror the domain's.
    """
    layers = ("backend/penchant/cli/", "backend/penchant/wire/", "backend/penchant/service/")
    apart = [place for place in places if not place.startswith(layers)]
    if name in SDK_SHAPE or any(place.startswith("backend/penchant/domain/") for place in apart):
        apart = [place for place in apart if not place.startswith("sdk/")]
    return apart
