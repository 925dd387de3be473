"""Edits a model's `config.pbtxt`, the text format of Triton's message `ModelConfig`."""

from __future__ import annotations

from collections.abc import Mapping

from google.protobuf import text_format

from penchant.launch.errors import LaunchError
from penchant_proto.triton.v1.model_config_pb2 import ModelConfig


def configure(text: str, settings: Mapping[str, str], instances: int | None = None) -> str:
    """A configuration with other parameters and another number of instances.

    Args:
        text: the configuration; its comments are dropped.
        settings: parameters to add or to replace.
        instances: processes of the model, 1 or more; None: as configured.

    Raises:
        LaunchError: the text is not a configuration of a Penchant model, the number of instances is
            below 1, or there is more than one group of instances, or none.

    >>> print(configure('backend: "penchant"', {"store": "memory:"}))
    parameters {
      key: "store"
      value {
        string_value: "memory:"
      }
    }
    backend: "penchant"
    <BLANKLINE>
    """
    config = parse_config(text)
    for name, value in settings.items():
        config.parameters[name].string_value = value
    if instances is not None:
        if instances < 1:
            raise LaunchError(f"instances: got {instances}, expected 1 or more")
        if len(config.instance_group) != 1:
            got = len(config.instance_group)
            raise LaunchError(f"config.pbtxt: instance_group: got {got}, expected one")
        config.instance_group[0].count = instances
    return text_format.MessageToString(config, as_utf8=True)


def parse_config(text: str) -> ModelConfig:
    """Parses a `config.pbtxt`; raises LaunchError for text that is no such configuration."""
    config = ModelConfig()
    try:
        text_format.Parse(text, config)
    except text_format.ParseError as error:
        raise LaunchError(f"config.pbtxt: {error}") from error
    return config


def backend_of(text: str) -> str:
    """The backend that any model's `config.pbtxt` names; empty if none, or no configuration.

    >>> backend_of('name: "ours" backend: "penchant" response_cache { enable: true }')
    'penchant'
    >>> backend_of('name: "other" platform: "onnxruntime_onnx"'), backend_of("{")
    ('', '')
    """
    config = ModelConfig()
    try:
        # Somebody may have added fields of Triton's that Penchant's own configurations never use.
        text_format.Parse(text, config, allow_unknown_field=True)
    except text_format.ParseError:
        return ""
    return config.backend
