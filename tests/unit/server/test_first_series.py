"""Counters that exist from the start, so that their first growth is seen."""

from __future__ import annotations

import pytest

from penchant.domain.errors import ConfigError, ErrorKind, PenchantError, StateBehind
from penchant.server.first_series import FAULTS, first_series
from penchant.server.metric_table import FAMILIES, MetricKind
from penchant_proto.methods import METHODS

MODELS = sorted({method.model for method in METHODS.values()})


def test_every_fault_of_the_server_is_counted_as_one() -> None:
    """`StateBehind` asks for patience; `ConfigError` ends a start, and answers no call."""
    blameless = (ErrorKind.INVALID, ErrorKind.NOT_FOUND, ErrorKind.CONFLICT)
    faults = {cls for cls in PenchantError.__subclasses__() if cls.kind not in blameless}
    assert {cls.__name__ for cls in faults - {StateBehind, ConfigError}} == set(FAULTS)


@pytest.mark.parametrize("model", MODELS)
def test_they_are_counters_of_the_table_with_its_labels(model: str) -> None:
    series = first_series(model)
    assert len(set(series)) == len(series)
    for name, labels in series:
        assert FAMILIES[name].kind is MetricKind.COUNTER
        assert tuple(label for label, _ in labels) == FAMILIES[name].labels


def test_every_counter_exists_from_the_start() -> None:
    counters = {name for name, one in FAMILIES.items() if one.kind is MetricKind.COUNTER}
    assert {name for model in MODELS for name, _ in first_series(model)} == counters
