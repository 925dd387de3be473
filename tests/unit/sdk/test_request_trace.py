"""Request ids, and the trace that goes on in the server."""

from __future__ import annotations

import asyncio
import re
import sys
import traceback

import pytest
from opentelemetry import trace

from penchant_sdk import InvalidRequest, Penchant, StateBehind
from penchant_sdk.aio import AsyncPenchant
from tests.unit.sdk.conftest import Wire


def test_each_attempt_has_an_id_of_its_own_and_the_error_that_of_the_last(wire: Wire) -> None:
    with (
        Penchant(wire.target, timeout_s=60, max_attempts=3) as penchant,
        pytest.raises(StateBehind) as caught,
    ):
        penchant.rank("ann", min_state_version=9)
    ids = [request.id for request in wire.requests]
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{16}", id_) for id_ in ids)
    assert caught.value.request_id == ids[-1]
    assert f"request id {ids[-1]}" in "".join(traceback.format_exception(caught.value))


def test_the_asynchronous_client_names_its_attempts_too(wire: Wire) -> None:
    async def main() -> str:
        async with AsyncPenchant(wire.target, timeout_s=60, max_attempts=1) as penchant:
            with pytest.raises(StateBehind) as caught:
                await penchant.rank("ann", min_state_version=9)
        return caught.value.request_id

    assert asyncio.run(main()) == wire.requests[-1].id


def test_an_error_before_anything_was_sent_has_no_request_id(wire: Wire) -> None:
    with Penchant(wire.target) as penchant, pytest.raises(InvalidRequest) as caught:
        penchant.rank("")
    assert caught.value.request_id == ""
    assert not wire.requests


def test_without_opentelemetry_nothing_is_sent_of_a_trace(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    with Penchant(wire.target, timeout_s=60) as penchant:
        penchant.rank("ann")
    assert "traceparent" not in wire.metadata[-1]


@pytest.mark.parametrize("sampled", [True, False])
def test_the_applications_trace_travels_with_its_flag(wire: Wire, sampled: bool) -> None:
    context = trace.SpanContext(1 << 64, 2, is_remote=False, trace_flags=trace.TraceFlags(sampled))
    with (
        Penchant(wire.target, timeout_s=60) as penchant,
        trace.use_span(trace.NonRecordingSpan(context)),
    ):
        penchant.rank("ann")
    assert wire.metadata[-1]["traceparent"] == f"00-{1 << 64:032x}-{2:016x}-0{int(sampled)}"


def test_outside_of_a_trace_of_the_application_none_begins(wire: Wire) -> None:
    assert "opentelemetry.trace" in sys.modules  # It is loaded, but nobody records.
    with Penchant(wire.target, timeout_s=60) as penchant:
        penchant.rank("ann")
    assert "traceparent" not in wire.metadata[-1]
