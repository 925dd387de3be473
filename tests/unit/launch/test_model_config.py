"""Edits to config.pbtxt change what they name and keep everything else."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from penchant.launch.errors import LaunchError
from penchant.launch.model_config import configure, parse_config
from penchant_proto.triton.v1.model_config_pb2 import ModelConfig, ModelInstanceGroup

TRITONS_OWN: Any = importlib.import_module("tritonclient.grpc.model_config_pb2")
REPOSITORY = Path(__file__).resolve().parents[3] / "model_repository"
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


def parameters_of(text: str) -> dict[str, str]:
    return {name: value.string_value for name, value in parse_config(text).parameters.items()}


@given(st.text())
def test_a_setting_is_read_back_as_it_was_written(text: str) -> None:
    assert parameters_of(configure("", {"signals": text})) == {"signals": text}


def test_a_setting_replaces_the_templates_own_and_leaves_all_else() -> None:
    edited = parse_config(configure(TEMPLATE, {"alpha": "0.5", "encoder": "/e"}))
    assert {name: value.string_value for name, value in edited.parameters.items()} == {
        "store": "memory: }",
        "alpha": "0.5",
        "encoder": "/e",
    }
    edited.ClearField("parameters")
    template = parse_config(TEMPLATE)
    template.ClearField("parameters")
    assert edited == template
    assert edited.HasField("dynamic_batching")


def test_setting_the_same_twice_changes_nothing_more() -> None:
    once = configure(TEMPLATE, {"store": "lmdb:/a b", "x": '"'}, instances=3)
    assert configure(once, {"store": "lmdb:/a b", "x": '"'}, instances=3) == once


def test_no_settings_change_nothing() -> None:
    assert parse_config(configure(TEMPLATE, {})) == parse_config(TEMPLATE)


def test_parameters_as_a_list_are_understood() -> None:
    text = 'parameters [ { key: "a" value {} }, { key: "b" value {} } ]'
    assert parameters_of(configure(text, {"a": "1"})) == {"a": "1", "b": ""}


@pytest.mark.parametrize("text", ["parameters {", "backend: penchant", "no_such_field: 1"])
def test_a_text_that_is_no_configuration_is_refused(text: str) -> None:
    with pytest.raises(LaunchError, match=r"config\.pbtxt: "):
        configure(text, {"a": "1"})


def test_instances_are_counted_in_the_instance_group() -> None:
    edited = parse_config(configure(TEMPLATE, {}, instances=4))
    assert list(edited.instance_group) == [
        ModelInstanceGroup(count=4, kind=ModelInstanceGroup.KIND_CPU)
    ]


@pytest.mark.parametrize(("text", "count"), [(TEMPLATE, 0), ('backend: "penchant"', 2)])
def test_instances_that_make_no_sense_are_refused(text: str, count: int) -> None:
    with pytest.raises(LaunchError, match="instance"):
        configure(text, {}, count)


def test_triton_reads_each_of_our_models_as_we_do() -> None:
    for template in REPOSITORY.glob("*/config.pbtxt"):
        text = configure(template.read_text(encoding="utf-8"), {"store": "lmdb:/é"}, 2)
        theirs = TRITONS_OWN.ModelConfig()
        text_format.Parse(text, theirs)
        assert theirs.SerializeToString(deterministic=True) == (
            parse_config(text).SerializeToString(deterministic=True)
        )


def assert_part_of(ours: Any, theirs: Any) -> None:
    """Each field, and each enum value, has Triton's name, number and type."""
    for field in ours.fields:
        other = theirs.fields_by_name[field.name]
        assert (field.number, field.type) == (other.number, other.type)
        if field.message_type is not None:
            assert_part_of(field.message_type, other.message_type)
        if field.enum_type is not None:
            names = other.enum_type.values_by_name
            assert all(value.number == names[value.name].number for value in field.enum_type.values)


def test_our_messages_are_a_part_of_tritons() -> None:
    assert_part_of(ModelConfig.DESCRIPTOR, TRITONS_OWN.ModelConfig.DESCRIPTOR)
