"""Penchant's Prometheus metrics, on the port where Triton serves its own.

Triton's Python backend updates a metric by a message to the server process, which may wait behind
requests. Measurements are therefore summed here, and a thread sends the sums once a second. A
histogram is sent as counters named `..._bucket`, `..._sum` and `..._count`, as Prometheus reads it.
"""

from __future__ import annotations

import bisect
import itertools
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder

SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0)
SEND_EVERY_S = 1.0

HELP = {
    "penchant_requests_total": "Calls answered, by method and result (ok or the error's reason)",
    "penchant_errors_total": "Calls answered with an error, by reason",
    "penchant_fold_seconds": "Seconds to fold the window of one user",
    "penchant_commit_seconds": "Seconds per commit of the store, including the sync to disk",
    "penchant_commit_events": "Events accepted per commit",
    "penchant_encoder_batch_texts": "Texts per run of the encoder",
    "penchant_refused_events_total": "Events refused one by one in calls that succeed, by reason",
    "penchant_clock_doubts_total": "Doubts about the machine's clock, by cause: a step, times in "
    "the store ahead of it, or such times moved to now",
    "penchant_staleness_seconds": "Seconds from an event's arrival until rankings see it",
}

_Series = tuple[str, tuple[tuple[str, str], ...]]


class _Histogram:
    """The observations since the last time they were sent."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Observations per bucket; the last bucket has no upper bound."""
        self.sum = 0.0

    def series(self, name: str) -> dict[_Series, float]:
        """Increments of the cumulative buckets that grew, of the sum and of the count."""
        labels = [f"{bound:g}" for bound in self.bounds] + ["+Inf"]
        totals = itertools.accumulate(self.counts)
        grown: dict[_Series, float] = {
            (f"{name}_bucket", (("le", label),)): total
            for label, total in zip(labels, totals, strict=True)
            if total
        }
        return grown | {(f"{name}_sum", ()): self.sum, (f"{name}_count", ()): sum(self.counts)}


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
        self._histograms: dict[str, _Histogram] = {}
        self._families: dict[str, Any] = {}
        self._metrics: dict[_Series, Any] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sender = threading.Thread(target=self._send_forever, daemon=True)
        self._sender.start()

    def request(self, method: str, reason: str) -> None:
        """Counts an answered call by its method and the reason of its error, empty without one."""
        self._add("penchant_requests_total", 1.0, method=method, result=reason or "ok")
        if reason:
            self._add("penchant_errors_total", 1.0, reason=reason)

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

    def send(self) -> None:
        """Sends the sums since the last time."""
        with self._lock:
            sums, self._sums = self._sums, defaultdict(float)
            histograms, self._histograms = self._histograms, {}
        for name, histogram in histograms.items():
            sums |= histogram.series(name)
        for series, value in sums.items():
            self._metric(series).increment(value)

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
            histogram = self._histograms.get(name)
            if histogram is None:
                histogram = self._histograms[name] = _Histogram(bounds)
            histogram.counts[bisect.bisect_left(bounds, value)] += times
            histogram.sum += value * times

    def _metric(self, series: _Series) -> Any:
        metric = self._metrics.get(series)
        if metric is None:
            name, labels = series
            if name not in self._families:
                stem = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
                kind = self._pb_utils.MetricFamily.COUNTER
                self._families[name] = self._pb_utils.MetricFamily(
                    name=name, description=HELP[stem], kind=kind
                )
            metric = self._families[name].Metric(labels={"model": self._model, **dict(labels)})
            self._metrics[series] = metric
        return metric


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
