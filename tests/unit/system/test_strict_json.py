"""A key that is given twice is refused wherever JSON is read for somebody."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.system.strict_json import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(VALUES)
def test_json_without_a_doubled_key_is_read_as_json_reads_it(value: Any) -> None:
    assert read_json(json.dumps(value)) == value


@given(st.text(), VALUES, VALUES, st.integers(0, 3))
def test_a_doubled_key_is_refused_however_deep(key: str, one: Any, other: Any, depth: int) -> None:
    name = json.dumps(key)
    text = f"{{{name}: {json.dumps(one)}, {name}: {json.dumps(other)}}}"
    for _ in range(depth):
        text = f'[{{"a": {text}}}]'
    with pytest.raises(ValueError, match="given twice"):
        read_json(text)


@given(st.integers(1, 400) | st.integers(99, 102), st.integers(400, 5000))
def test_what_is_nested_too_deeply_is_refused_whatever_the_interpreter_bears(
    depth: int, limit: int
) -> None:
    text = "[" * depth + "]" * depth
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + limit)
    try:
        if depth <= 100:
            read_json(text)
            return
        with pytest.raises(RecursionError):
            read_json(text)
    finally:
        sys.setrecursionlimit(before)
