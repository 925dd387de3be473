"""What the services measure, as the metrics of the table; the hot path adds to sums alone."""

from __future__ import annotations

import functools
import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from penchant.domain.outcome_calibration import OutcomeCalibration
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder
from penchant.server.first_series import first_series
from penchant.server.metric_table import Series
from penchant.server.triton.metric_sender import MetricSender, ReadGauges
from penchant.service.meter import Outcome

RANKINGS = 1_000
"""Of how many rankings the distinct items at the top are counted."""

_COLD: Series = ("penchant_rankings_total", (("user", "cold"),))
_KNOWN: Series = ("penchant_rankings_total", (("user", "known"),))
_BATCH: Series = ("penchant_batch_calls", ())


class TritonMeter:
    """Sums measurements for Triton; see `penchant.service.meter.Meter`."""

    def __init__(self, pb_utils: Any, model: str, process: str = "") -> None:
        """Starts the thread that sends them.

        Args:
            pb_utils: Triton's module.
            model: value of the label `model` of every series.
            process: name of this process, as Triton names the model's instance.
        """
        self._sender = MetricSender(
            pb_utils, {"model": model}, process or str(os.getpid()), first_series(model)
        )
        self._later = self._sender.later
        self._tops: deque[bytes] = deque(maxlen=RANKINGS)
        self._calibration = OutcomeCalibration()
        self._calibration_lock = threading.Lock()
        if model == "penchant_rank":
            self.watch(self._coverage)
        if model == "penchant_feedback":
            self.watch(self._calibration_error)

    def watch(self, read: ReadGauges, tenant: str = "") -> None:
        """See `MetricSender.watch`; `tenant`: whose gauges they are, empty: the server's own."""
        self._sender.watch(read, _whose(tenant))

    def request(self, method: str, reason: str, seconds: float, tenant: str = "") -> None:
        """Counts an answered call.

        Args:
            method: the call's.
            reason: of its error; empty without one.
            seconds: from the call's arrival to its answer.
            tenant: of the caller; empty: none.
        """
        counted, timed = _request_series(method, reason, tenant)
        self._sender.count_and_time(counted, timed, seconds)
        if reason:
            self._sender.add(("penchant_errors_total", (("reason", reason),)), 1.0)

    def batch(self, calls: int) -> None:
        """Records how many calls are answered together."""
        self._sender.observe(_BATCH, calls)

    def answered_together(self, method: str, calls: int, counted: int, seconds: float) -> None:
        """As `batch` for calls, and as `request` for those that count; for the hot path.

        Args:
            method: the method of all.
            calls: answered together, none by an error.
            counted: those that are no health checks.
            seconds: from their arrival to their answers.
        """
        self._later((self._count_answered, (method, calls, counted, seconds)))

    def waited(self, lane: str, seconds: float) -> None:
        """Records how long a call waited in a lane."""
        self._sender.observe(("penchant_wait_seconds", (("lane", lane),)), seconds)

    def refused_caller(self, cause: str, tenant: str) -> None:
        """See `IdentityMeter.refused_caller`."""
        series = ("penchant_refused_calls_total", (("cause", cause), *_whose(tenant)))
        self._sender.add(series, 1.0)

    def token_keys_read(self, good: bool) -> None:
        """See `IdentityMeter.token_keys_read`."""
        self._add("penchant_token_keys_read_total", 1.0, result="ok" if good else "failed")

    def fold(self, seconds: float, users: int = 1) -> None:
        """See `Meter.fold`."""
        self._sender.observe(("penchant_fold_seconds", ()), seconds / users, users)

    def commit(self, seconds: float, events: int) -> None:
        """See `Meter.commit`."""
        self._sender.observe(("penchant_commit_seconds", ()), seconds)
        self._sender.observe(("penchant_commit_events", ()), events)

    def staleness(self, seconds: float) -> None:
        """See `Meter.staleness`."""
        self._sender.observe(("penchant_staleness_seconds", ()), seconds)

    def encoded(self, texts: int) -> None:
        """See `Meter.encoded`."""
        self._sender.observe(("penchant_encoder_batch_texts", ()), texts)

    def refused(self, reason: str, events: int) -> None:
        """See `Meter.refused`."""
        self._add("penchant_refused_events_total", events, reason=reason)

    def clock_doubt(self, cause: str) -> None:
        """See `Meter.clock_doubt`."""
        self._add("penchant_clock_doubts_total", 1.0, cause=cause)

    def mended(self, kind: str) -> None:
        """See `Meter.mended`."""
        self._add("penchant_catalog_mends_total", 1.0, kind=kind)

    def ranked(self, tops: Sequence[bytes], cold: int) -> None:
        """See `Meter.ranked`."""
        self._later((self._count_rankings, (tops, cold)))

    def degraded(self) -> None:
        """See `Meter.degraded`."""
        self._add("penchant_degraded_rankings_total", 1.0)

    def reserved(self, outcome: str, options: int) -> None:
        """See `Meter.reserved`."""
        self._add("penchant_reservations_total", options, outcome=outcome)

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """See `Meter.outcomes`."""
        self._later((self._count_outcomes, (outcomes,)))

    def interest_drift(self, distance: float) -> None:
        """See `Meter.interest_drift`."""
        self._sender.observe(("penchant_interest_drift", ()), distance)

    def send(self) -> None:
        """Sends the sums since the last time."""
        self._sender.send()

    def close(self) -> None:
        """Stops the thread and sends the rest."""
        self._sender.close()

    def _add(self, name: str, value: float, **labels: str) -> None:
        self._sender.add((name, tuple(labels.items())), value)

    def _count_rankings(self, tops: Sequence[bytes], cold: int) -> None:
        self._sender.add(_COLD, float(cold))
        self._sender.add(_KNOWN, float(len(tops) - cold))
        self._tops.extend(tops)

    def _count_answered(self, method: str, calls: int, counted: int, seconds: float) -> None:
        self.batch(calls)
        series, timed = _request_series(method, "", "")
        self._sender.add(series, float(counted))
        self._sender.observe(timed, seconds, counted)

    def _count_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        for one in outcomes:
            if one.impression:
                self._add("penchant_shown_total", 1.0, arm=one.arm)
                continue
            self._add("penchant_outcomes_total", 1.0, arm=one.arm)
            if one.reward:
                sign = "gain" if one.reward > 0 else "loss"
                self._add("penchant_rewards_total", abs(one.reward), arm=one.arm, sign=sign)
            if one.score is not None:
                with self._calibration_lock:
                    self._calibration.add(one.score, one.reward)

    def _coverage(self) -> dict[Series, float]:
        rows = np.frombuffer(b"".join(self._tops), np.int64)
        return {("penchant_recent_top_items", ()): float(len(np.unique(rows)))} if len(rows) else {}

    def _calibration_error(self) -> dict[Series, float]:
        with self._calibration_lock:
            error = self._calibration.error()
        return {} if error is None else {("penchant_calibration_error", ()): error}


@functools.lru_cache(maxsize=1024)
def _request_series(method: str, reason: str, tenant: str) -> tuple[Series, Series]:
    """The counter of calls and the histogram of their seconds; made once, for the hot path."""
    whose = _whose(tenant)
    timed = (("method", method), *whose)
    counted = (("method", method), ("result", reason or "ok"), *whose)
    return ("penchant_requests_total", counted), ("penchant_request_seconds", timed)


def _whose(tenant: str) -> tuple[tuple[str, str], ...]:
    """The label of a tenant's series; none for the server's own."""
    return (("tenant", tenant),) if tenant else ()


class MeteredEncoder:
    """An encoder that reports the number of texts per run; see `penchant.encoder.base.Encoder`."""

    def __init__(self, inner: Encoder, meter: TritonMeter) -> None:
        self._inner = inner
        self._meter = meter
        self.version = inner.version
        self.dimensions = inner.dimensions

    def encode(self, texts: Sequence[str]) -> Matrix:
        """See `Encoder.encode`."""
        self._meter.encoded(len(texts))
        return self._inner.encode(texts)
