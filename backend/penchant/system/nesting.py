"""Bounds how deep the lists and tables of a value from outside may be nested."""

from __future__ import annotations

from typing import Any

_MAX_DEPTH = 100


def check_nesting(value: Any) -> None:
    """Refuses a value whose lists and tables are nested more than 100 deep.

    The interpreter's own limit can't serve: a host program, or a library, may have raised it.

    Raises:
        RecursionError: it is nested too deeply.

    >>> check_nesting([[1, 2], {"a": []}])
    """
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise RecursionError(f"nested more than {_MAX_DEPTH} deep")


def _inside(value: Any) -> list[Any]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in inside if isinstance(inner, dict | list)]
