"""Penchant's Prometheus metrics, on the port where Triton serves its own.

Triton's Python backend updates a metric by a message to the server process, which may wait behind
requests. Measurements are therefore summed here, and a thread sends the sums once a second. Triton
has histograms, but takes each observation by a message of its own; so a histogram is sent as
counters named `..._bucket`, `..._sum` and `..._count`, from which Prometheus computes quantiles as
from any histogram. Gauges are read when they are sent.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder

SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0)
SEND_EVERY_S = 1.0

HELP = {
    "penchant_requests_total": "Calls answered, by method and result (ok or the error's reason)",
    "penchant_request_seconds": "Seconds from a call's arrival to its answer, by method",
    "penchant_errors_total": "Calls answered with an error, by reason",
    "penchant_fold_seconds": "Seconds to fold the window of one user",
    "penchant_commit_seconds": "Seconds per commit of the store, including the sync to disk",
    "penchant_commit_events": "Events accepted per commit",
    "penchant_encoder_batch_texts": "Texts per run of the encoder",
    "penchant_refused_events_total": "Events refused one by one in calls that succeed, by reason",
    "penchant_clock_doubts_total": "Doubts about the machine's clock, by cause: a step, times in "
    "the store ahead of it, such times moved to now, a start long after all that is stored",
    "penchant_catalog_mends_total": "Damaged parts of the catalog that were written again, by kind "
    "(vectors, texts, offsets, version, neighbours, head, rollout)",
    "penchant_refused_calls_total": "Calls refused for their caller, by cause (missing, duplicate, "
    "malformed, oversized, algorithm, key, signature, expired, not_yet_valid, issuer, audience, "
    "scope, tenant, tenant_limit, caller_rate, tenant_rate) and by tenant, once one is verified",
    "penchant_token_keys_read_total": "Readings of the changed file of token keys, by result (ok, "
    "failed)",
    "penchant_staleness_seconds": "Seconds from an event's arrival until rankings see it",
}
"""Counters and histograms, with what they count."""

MODEL_GAUGES = {
    "penchant_waiting_calls": "Calls that wait in a model's process or are worked on, by lane",
    "penchant_items": "Items that can be ranked",
    "penchant_users": "Users with a record as of the last full count, which takes 1 s per 2,000",
    "penchant_store_fill": "Used share of the store's size limit, 0 to 1; full at 0.98",
    "penchant_catalog_version": "Version of the item vectors that rankings use",
    "penchant_refresh_age_seconds": "Seconds since the last refresh published; missing before the "
    "first one",
    "penchant_refresh_duration_seconds": "Seconds that the last refresh took; missing as above",
    "penchant_refresh_new_events": "Events accepted since the last refresh read the log",
    "penchant_refresh_failures": "Attempts of the clock to refresh that failed since it last did",
    "penchant_rollout": "Whether a release is on trial beside the served one: 0 or 1",
}
"""Gauges, with what they show. Those of the store are of the model `penchant_users`."""

ReadGauges = Callable[[], Mapping[str, float]]

log = logging.getLogger("penchant")

_Series = tuple[str, tuple[tuple[str, str], ...]]


class _Histogram:
    """The observations since the last time they were sent."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Observations per bucket; the last bucket has no upper bound."""
        self.sum = 0.0

    def series(self, name: str, own: tuple[tuple[str, str], ...]) -> dict[_Series, float]:
        """Increments of the cumulative buckets that grew, of the sum and of the count.

        Args:
            name: of the histogram.
            own: labels of all its series.
        """
        labels = [f"{bound:g}" for bound in self.bounds] + ["+Inf"]
        totals = itertools.accumulate(self.counts)
        grown: dict[_Series, float] = {
            (f"{name}_bucket", (*own, ("le", label))): total
            for label, total in zip(labels, totals, strict=True)
            if total
        }
        return grown | {
            (f"{name}_sum", own): self.sum,
            (f"{name}_count", own): sum(self.counts),
        }


class TritonMeter:
    """Sums measurements and sends the sums to Triton; see `penchant.service.meter.Meter`."""

    def __init__(self, pb_utils: Any, model: str) -> None:
        """Starts the sending thread.

        Args:
            pb_utils: Triton's module.
            model: value of the label `model` of every series.
        """
        self._pb_utils = pb_utils
        self._model = model
        self._sums: defaultdict[_Series, float] = defaultdict(float)
        self._histograms: dict[_Series, _Histogram] = {}
        self._gauges: list[tuple[ReadGauges, str, str]] = []
        self._families: dict[str, Any] = {}
        self._metrics: dict[_Series, Any] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sender = threading.Thread(target=self._send_forever, daemon=True)
        self._sender.start()

    def watch(self, read: ReadGauges, label: str = "", tenant: str = "") -> None:
        """Sends gauges from now on, each time with what `read` returns.

        Args:
            read: the values by the gauge's name; or, with a label, by the label's value.
            label: empty, or `gauge:label`.
            tenant: whose gauges they are; empty: the server's own.
        """
        self._gauges.append((read, label, tenant))

    def request(self, method: str, reason: str, seconds: float, tenant: str = "") -> None:
        """Counts an answered call.

        Args:
            method: the call's.
            reason: of its error; empty without one.
            seconds: from the call's arrival to its answer.
            tenant: of the caller; empty: none.
        """
        counted, timed = _request_series(method, reason, tenant)
        with self._lock:
            self._sums[counted] += 1.0
            if reason:
                self._sums["penchant_errors_total", (("reason", reason),)] += 1.0
            self._observe_locked(timed, SECONDS, seconds, 1)

    def refused_caller(self, cause: str, tenant: str) -> None:
        """See `IdentityMeter.refused_caller`."""
        labels = {"tenant": tenant} if tenant else {}
        self._add("penchant_refused_calls_total", 1.0, cause=cause, **labels)

    def token_keys_read(self, good: bool) -> None:
        """See `IdentityMeter.token_keys_read`."""
        self._add("penchant_token_keys_read_total", 1.0, result="ok" if good else "failed")

    def fold(self, seconds: float, users: int = 1) -> None:
        """See `Meter.fold`."""
        self._observe("penchant_fold_seconds", SECONDS, seconds / users, users)

    def commit(self, seconds: float, events: int) -> None:
        """See `Meter.commit`."""
        self._observe("penchant_commit_seconds", SECONDS, seconds)
        self._observe("penchant_commit_events", SIZES, events)

    def staleness(self, seconds: float) -> None:
        """See `Meter.staleness`."""
        self._observe("penchant_staleness_seconds", SECONDS, seconds)

    def encoded(self, texts: int) -> None:
        """See `Meter.encoded`."""
        self._observe("penchant_encoder_batch_texts", SIZES, texts)

    def refused(self, reason: str, events: int) -> None:
        """See `Meter.refused`."""
        self._add("penchant_refused_events_total", float(events), reason=reason)

    def clock_doubt(self, cause: str) -> None:
        """See `Meter.clock_doubt`."""
        self._add("penchant_clock_doubts_total", 1.0, cause=cause)

    def mended(self, kind: str) -> None:
        """See `Meter.mended`."""
        self._add("penchant_catalog_mends_total", 1.0, kind=kind)

    def send(self) -> None:
        """Sends the sums since the last time."""
        with self._lock:
            sums, self._sums = self._sums, defaultdict(float)
            histograms, self._histograms = self._histograms, {}
        for (name, own), histogram in histograms.items():
            sums |= histogram.series(name, own)
        for series, value in sums.items():
            self._metric(series).increment(value)
        for read, label, tenant in list(self._gauges):
            self._send_gauges(read, label, tenant)

    def _send_gauges(self, read: ReadGauges, label: str, tenant: str) -> None:
        try:
            values = read()
        except Exception:  # A gauge that cannot be read must not cost the counters.
            log.exception("gauges could not be read")
            return
        gauge, _, key = label.partition(":")
        whose = (("tenant", tenant),) if tenant else ()
        for name, value in values.items():
            series: _Series = (gauge, ((key, name), *whose)) if label else (name, whose)
            self._metric(series).set(value)

    def close(self) -> None:
        """Stops the thread and sends the rest."""
        self._closing.set()
        self._sender.join()
        self.send()

    def _send_forever(self) -> None:
        while not self._closing.wait(SEND_EVERY_S):
            self.send()

    def _add(self, name: str, value: float, **labels: str) -> None:
        with self._lock:
            self._sums[name, tuple(labels.items())] += value

    def _observe(self, name: str, bounds: tuple[float, ...], value: float, times: int = 1) -> None:
        with self._lock:
            self._observe_locked((name, ()), bounds, value, times)

    def _observe_locked(
        self, series: _Series, bounds: tuple[float, ...], value: float, times: int
    ) -> None:
        histogram = self._histograms.get(series)
        if histogram is None:
            histogram = self._histograms[series] = _Histogram(bounds)
        histogram.counts[bisect.bisect_left(bounds, value)] += times
        histogram.sum += value * times

    def _metric(self, series: _Series) -> Any:
        metric = self._metrics.get(series)
        if metric is None:
            name, labels = series
            if name not in self._families:
                stem = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
                kinds = self._pb_utils.MetricFamily
                kind = kinds.GAUGE if stem in MODEL_GAUGES else kinds.COUNTER
                text = MODEL_GAUGES.get(stem) or HELP[stem]
                self._families[name] = kinds(name=name, description=text, kind=kind)
            metric = self._families[name].Metric(labels={"model": self._model, **dict(labels)})
            self._metrics[series] = metric
        return metric


@functools.lru_cache(maxsize=1024)
def _request_series(method: str, reason: str, tenant: str) -> tuple[_Series, _Series]:
    """The counter of calls and the histogram of their seconds; made once, for the hot path."""
    whose = (("tenant", tenant),) if tenant else ()
    timed = (("method", method), *whose)
    counted = (("method", method), ("result", reason or "ok"), *whose)
    return ("penchant_requests_total", counted), ("penchant_request_seconds", timed)


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
