"""Spans of a call and of its steps, exported by OTLP where an endpoint is configured.

The caller decides which calls are traced: by the sampled flag of the W3C header `traceparent`,
which Triton forwards as a parameter of the request. Spans hold names, times and reasons alone.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

from penchant.system.optional_package import needs_extra
from penchant.system.step_times import Step

ENDPOINT = "PENCHANT_OTLP_ENDPOINT"
"""Environment variable with the collector's address for OTLP over HTTP."""
HEADER = "traceparent"
_SENT_S = 2.0
_MODULES = (
    "sdk.trace",
    "sdk.resources",
    "sdk.trace.export",
    "exporter.otlp.proto.http.trace_exporter",
    "trace",
)
_TRACEPARENT = re.compile(
    r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
)


def check_installed() -> tuple[Any, ...]:
    """The modules that export traces; raises ConfigError where the extra `trace` is missing."""
    with needs_extra("otlp_endpoint", "trace"):
        return tuple(importlib.import_module(f"opentelemetry.{name}") for name in _MODULES)


class CallTrace:
    """The trace that a call belongs to, and the steps of the work on it so far."""

    __slots__ = ("began_ns", "parent", "steps", "trace_id")

    def __init__(self, parent: Any, trace_id: str) -> None:
        self.parent = parent
        self.trace_id = trace_id
        self.began_ns = time.time_ns()
        self.steps: list[Step] = []


class Traces:
    """Exports the spans of one process; a thread of its own sends them every two seconds."""

    def __init__(self, endpoint: str, model: str, process: str) -> None:
        """Begins; the collector need not be there yet.

        Args:
            endpoint: its address, as in `http://collector:4318`.
            model: of Triton.
            process: the instance's name.

        Raises:
            ConfigError: the extra `trace` is not installed.
        """
        sdk, resources, exporting, otlp, self._api = check_installed()
        about = {"service.name": "penchant", "service.instance.id": process}
        self._provider = sdk.TracerProvider(resource=resources.Resource.create(about))
        exporter = otlp.OTLPSpanExporter(endpoint.rstrip("/") + "/v1/traces", timeout=5)
        self._provider.add_span_processor(
            exporting.BatchSpanProcessor(exporter, schedule_delay_millis=int(_SENT_S * 1e3))
        )
        self._tracer = self._provider.get_tracer("penchant")
        self._model = model

    def begin(self, request: Any) -> CallTrace | None:
        """The trace of a request; None if its caller samples none."""
        parameters = request.parameters()
        if HEADER not in parameters:
            return None
        return self._trace(json.loads(parameters).get(HEADER))

    def end(self, trace: CallTrace, method: str, reason: str, request_id: str) -> None:
        """Exports the spans of an answered call.

        Args:
            trace: of the call, with its steps.
            method: of the call.
            reason: of its error; empty without one.
            request_id: as the caller named the request; may be empty.
        """
        api = self._api
        parent = api.set_span_in_context(api.NonRecordingSpan(trace.parent))
        attributes = {"penchant.model": self._model, "penchant.request_id": request_id}
        if reason:
            attributes["penchant.reason"] = reason
        span = self._tracer.start_span(
            f"penchant.{method}",
            context=parent,
            kind=api.SpanKind.SERVER,
            attributes=attributes,
            start_time=trace.began_ns,
        )
        if reason:
            span.set_status(api.StatusCode.ERROR)
        inside = api.set_span_in_context(span)
        for step in _merged(trace.steps):
            child = self._tracer.start_span(step.name, context=inside, start_time=step.began_ns)
            child.end(step.ended_ns)
        span.end(time.time_ns())

    def close(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()

    def _trace(self, header: object) -> CallTrace | None:
        found = _TRACEPARENT.fullmatch(header) if isinstance(header, str) else None
        if found is None or not int(found["flags"], 16) & 1:
            return None
        parent = self._api.SpanContext(
            trace_id=int(found["trace"], 16),
            span_id=int(found["span"], 16),
            is_remote=True,
            trace_flags=self._api.TraceFlags(1),
        )
        return CallTrace(parent, found["trace"]) if parent.is_valid else None


def _merged(steps: Iterable[Step]) -> Iterator[Step]:
    """One step a name, from the first's beginning to the last's end: a batch has many folds."""
    found: dict[str, Step] = {}
    for step in steps:
        known = found.get(step.name, step)
        first, last = min(known.began_ns, step.began_ns), max(known.ended_ns, step.ended_ns)
        found[step.name] = Step(step.name, first, last)
    yield from found.values()


def traces_of(model: str, process: str) -> Traces | None:
    """The export that the environment asks for; None without an endpoint, as by default."""
    endpoint = os.environ.get(ENDPOINT, "")
    return Traces(endpoint, model, process) if endpoint else None
