"""Edits to config.pbtxt keep the rest and quote what they add."""

from __future__ import annotations

import pytest
from google.protobuf import struct_pb2, text_format
from hypothesis import given
from hypothesis import strategies as st

from penchant.launch import pbtxt
from penchant.launch.errors import LaunchError

TEMPLATE = """\
# Ranks. parameters { key: "store" } in a comment is none.
backend: "penchant"
instance_group [ { count: 2 kind: KIND_CPU } ]
parameters { key: "store" value { string_value: "memory: }" } }
# About the alpha.
parameters: {
  key: "alpha"
  value: { string_value: "0.1" }
}
dynamic_batching { max_queue_delay_microseconds: 0 }
"""


@given(st.text())
def test_a_quoted_string_is_read_back_by_protobuf(text: str) -> None:
    value = struct_pb2.Value()
    text_format.Parse(f"string_value: {pbtxt.quote(text)}", value)
    assert value.string_value == text


def test_a_setting_replaces_the_templates_own_and_leaves_all_else() -> None:
    edited = pbtxt.set_parameters(TEMPLATE, {"alpha": "0.5", "encoder": "/e"})
    assert edited.count('key: "alpha"') == 1
    assert 'parameters { key: "alpha" value { string_value: "0.5" } }' in edited
    assert 'parameters { key: "store" value { string_value: "memory: }" } }' in edited
    assert "# About the alpha.\ndynamic_batching { max_queue_delay_microseconds: 0 }" in edited
    assert edited.startswith(TEMPLATE[: TEMPLATE.index("instance_group")])


def test_setting_the_same_twice_changes_nothing_more() -> None:
    once = pbtxt.set_parameters(TEMPLATE, {"store": "lmdb:/a b", "x": '"'})
    assert pbtxt.set_parameters(once, {"store": "lmdb:/a b", "x": '"'}) == once


def test_no_settings_change_nothing() -> None:
    assert pbtxt.set_parameters(TEMPLATE, {}) == TEMPLATE


def test_parameters_as_a_list_are_refused() -> None:
    text = 'parameters [ { key: "a" value {} }, { key: "b" value {} } ]'
    with pytest.raises(LaunchError, match="one block per parameter"):
        pbtxt.set_parameters(text, {"a": "1"})


def test_an_open_bracket_is_refused() -> None:
    with pytest.raises(LaunchError, match="bracket"):
        pbtxt.set_parameters("parameters {", {"a": "1"})


def test_instances_are_counted_in_the_instance_group_alone() -> None:
    edited = pbtxt.set_instances("x { count: 9 }\n" + TEMPLATE, 4)
    assert edited == "x { count: 9 }\n" + TEMPLATE.replace("count: 2", "count: 4")


@pytest.mark.parametrize(("text", "count"), [(TEMPLATE, 0), ('backend: "penchant"', 2)])
def test_instances_that_make_no_sense_are_refused(text: str, count: int) -> None:
    with pytest.raises(LaunchError, match="instance"):
        pbtxt.set_instances(text, count)
