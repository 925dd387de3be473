"""Sends Penchant's metrics to Triton, which serves them on the port of its own.

Triton's Python backend updates a metric by a message to the server process, which may wait behind
requests. Measurements are therefore summed here, and a thread sends the sums once a second. Triton
has histograms, but takes each observation by a message of its own; so a histogram is sent as
counters named `..._bucket`, `..._sum` and `..._count`, from which Prometheus computes quantiles as
from any histogram. Gauges are read when they are sent.
"""

from __future__ import annotations

import bisect
import itertools
import logging
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penchant.domain.errors import PenchantError
from penchant.server.metric_table import FAMILIES, MetricKind, Series

SEND_EVERY_S = 1.0
MOST_LATER = 100_000
"""Batches of calls that are not added up yet, at most: where nothing is sent, the oldest go."""
ALIVE = "penchant_alive_timestamp_seconds"

ReadGauges = Callable[[], Mapping[Series, float]]
"""Returns the gauges that can be read at the moment, of any labels; cheap."""

Later = tuple[Callable[..., None], tuple[object, ...]]
"""What adds to sums, and its arguments."""

log = logging.getLogger("penchant")

_PART = re.compile("_(bucket|sum|count)$")


class _Observations:
    """The observations of a histogram since the last time they were sent."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Observations per bucket; the last bucket has no upper bound."""
        self.sum = 0.0

    def series(
        self, name: str, own: tuple[tuple[str, str], ...], *, first: bool = False
    ) -> dict[Series, float]:
        """Increments of the cumulative buckets that grew, of the sum and of the count.

        Args:
            name: of the histogram.
            own: labels of all its series.
            first: whether to add the buckets that did not grow, so that all of them exist.
        """
        labels = [f"{bound:g}" for bound in self.bounds] + ["+Inf"]
        totals = itertools.accumulate(self.counts)
        grown: dict[Series, float] = {
            (f"{name}_bucket", (*own, ("le", label))): total
            for label, total in zip(labels, totals, strict=True)
            if total or first
        }
        return grown | {
            (f"{name}_sum", own): self.sum,
            (f"{name}_count", own): sum(self.counts),
        }


@dataclass(slots=True)
class _Watched:
    """Gauges to read, and the series that they showed the last time."""

    read: ReadGauges
    labels: tuple[tuple[str, str], ...]
    shown: set[Series] = field(default_factory=set)


class MetricSender:
    """The metrics of one process; one thread sends them all."""

    def __init__(
        self,
        pb_utils: Any,
        labels: Mapping[str, str],
        process: str,
        first: Sequence[Series] = (),
    ) -> None:
        """Starts the sending thread.

        Args:
            pb_utils: Triton's module.
            labels: those of every series.
            process: name of this process among those that have the same labels.
            first: counters that are shown at once, at 0.
        """
        self._pb_utils = pb_utils
        self._labels = dict(labels)
        self._process = ("process", process)
        self._sums: defaultdict[Series, float] = defaultdict(float, dict.fromkeys(first, 0.0))
        self._histograms: dict[Series, _Observations] = {}
        self._gauges: list[_Watched] = []
        self._later: deque[Later] = deque(maxlen=MOST_LATER)
        self.later: Callable[[Later], None] = self._later.append
        """Has something added before sums are sent the next time, off the way of the calls."""
        self._families: dict[str, Any] = {}
        self._metrics: dict[Series, Any] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._sender = threading.Thread(target=self._send_forever, daemon=True)
        self._sender.start()

    def watch(self, read: ReadGauges, labels: tuple[tuple[str, str], ...] = ()) -> None:
        """Sends gauges from now on, each time with what `read` returns, with further labels.

        A series that it no longer returns is shown no longer. Families with the label `process`
        are given this process's.
        """
        self._gauges.append(_Watched(read, labels))

    def add(self, series: Series, value: float) -> None:
        """Adds to a counter. Cost: under 1 microsecond."""
        with self._lock:
            self._sums[series] += value

    def observe(self, series: Series, value: float, times: int = 1) -> None:
        """Adds observations to a histogram. Cost: about 1 microsecond."""
        with self._lock:
            self._observe_locked(series, value, times)

    def count_and_time(self, counted: Series, timed: Series, seconds: float) -> None:
        """Counts one and observes its seconds, under one lock; for the hot path."""
        with self._lock:
            self._sums[counted] += 1.0
            self._observe_locked(timed, seconds, 1)

    def send(self) -> None:
        """Sends the sums since the last time, and the gauges."""
        for _ in range(len(self._later)):
            add, values = self._later.popleft()
            add(*values)
        with self._lock:
            sums, self._sums = self._sums, defaultdict(float)
            histograms, self._histograms = self._histograms, {}
        for (name, own), histogram in histograms.items():
            first = (f"{name}_count", own) not in self._metrics
            sums |= histogram.series(name, own, first=first)
        for series, value in sums.items():
            self._metric(series).increment(value)
        for watched in list(self._gauges):
            self._send_gauges(watched)
        self._metric((ALIVE, (self._process,))).set(time.time())

    def close(self) -> None:
        """Stops the thread and sends the rest."""
        self._closing.set()
        self._sender.join()
        self.send()

    def _observe_locked(self, series: Series, value: float, times: int) -> None:
        histogram = self._histograms.get(series)
        if histogram is None:
            histogram = self._histograms[series] = _Observations(FAMILIES[series[0]].bounds)
        histogram.counts[bisect.bisect_left(histogram.bounds, value)] += times
        histogram.sum += value * times

    def _send_gauges(self, watched: _Watched) -> None:
        try:
            values = watched.read()
        except PenchantError as error:  # Such as a store that does not answer.
            log.info("gauges could not be read: %s", error)
            return
        except Exception:  # A gauge that cannot be read must not cost the counters.
            log.exception("gauges could not be read")
            return
        shown: set[Series] = set()
        for (name, labels), value in values.items():
            own = (*labels, *watched.labels)
            if "process" in FAMILIES[name].labels:
                own = (*own, self._process)
            shown.add((name, own))
            self._metric((name, own)).set(value)
        for gone in watched.shown - shown:
            del self._metrics[gone]  # Triton shows a metric for as long as its object lives.
        watched.shown = shown

    def _send_forever(self) -> None:
        while not self._closing.wait(SEND_EVERY_S):
            try:
                self.send()
            except Exception:  # The next time may do; without a thread, nothing ever would.
                log.exception("metrics could not be sent")

    def _metric(self, series: Series) -> Any:
        metric = self._metrics.get(series)
        if metric is None:
            name, labels = series
            if name not in self._families:
                self._families[name] = self._family(name)
            metric = self._families[name].Metric(labels={**self._labels, **dict(labels)})
            self._metrics[series] = metric
        return metric

    def _family(self, name: str) -> Any:
        kinds = self._pb_utils.MetricFamily
        known = FAMILIES.get(name) or FAMILIES[_PART.sub("", name)]
        kind = kinds.GAUGE if known.kind is MetricKind.GAUGE else kinds.COUNTER
        return kinds(name=name, description=known.meaning, kind=kind)
