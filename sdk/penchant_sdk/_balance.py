"""Chooses the endpoint of each attempt, without I/O.

Preferred is an endpoint that is connected, whose circuit breaker admits calls, that did not ask to
be left alone for a while (`Overloaded`), that this call has not tried yet, and that does not take
much longer than the others; of several such, the one with the fewest calls under way (gRPC's and
Envoy's *least request*), in turn where they are even. If there is no such endpoint, the best of the
others gets the call: a breaker never takes the last endpoint away (Envoy's panic threshold).

>>> balance = Balance(["a:8001", "b:8001"])
>>> balance.pick([True, True]), balance.pick([True, True]), balance.pick([True, False])
(0, 1, 0)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from threading import Lock

from penchant_sdk._circuit_breaker import CircuitBreaker
from penchant_sdk.errors import (
    Cancelled,
    DeadlineExceeded,
    ModelNotFound,
    Overloaded,
    PenchantError,
    ServerError,
    StateBehind,
    StateCorrupt,
    Unavailable,
)

log = logging.getLogger("penchant_sdk")

_OF_THE_ENDPOINT = (Unavailable, DeadlineExceeded, ServerError, ModelNotFound)
_OF_THE_CALL = (Overloaded, StateBehind, StateCorrupt)
"""Of the classes above, those that an endpoint in order answers with."""

SLOW_FACTOR, SLOW_BY_S = 2.0, 0.005
"""An endpoint is slow if its rankings take this many times as long as the fastest one's, and this
many seconds longer."""
SLOW_AGAIN_S = 1.0
"""Seconds after which a slow endpoint gets a call again, to see whether it still is."""
_LEAST_SEEN = 4
_WEIGHT = 0.2
"""Of the latest ranking in the mean time of an endpoint."""


class _Seat:
    """What is known of one endpoint."""

    __slots__ = ("breaker", "calls", "latency_s", "name", "picked_s", "rests_until_s", "seen")

    def __init__(self, name: str) -> None:
        self.name = name
        self.breaker = CircuitBreaker()
        self.calls = 0
        self.rests_until_s = 0.0
        self.latency_s = 0.0
        self.seen = 0
        self.picked_s = 0.0


class Balance:
    """Chooses endpoints and learns from what becomes of the calls; thread-safe.

    Cost: about 1 microsecond an endpoint and call.
    """

    def __init__(self, names: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        """Begins with nothing known.

        Args:
            names: of the endpoints; they are referred to by their places.
            clock: gives the time in seconds.
        """
        self._seats = [_Seat(name) for name in names]
        self._clock = clock
        self._lock = Lock()
        self._turn = 0

    def pick(
        self, connected: Sequence[bool], tried: Collection[int] = (), *, other_only: bool = False
    ) -> int:
        """The endpoint of the next attempt, whose call counts as begun.

        Args:
            connected: for each endpoint, whether it has a connection.
            tried: endpoints that this call has tried.
            other_only: whether only a good endpoint will do that this call has not tried; if there
                is none, -1 is returned.
        """
        now_s = self._clock()
        with self._lock:
            fastest_s = min(
                (seat.latency_s for seat in self._seats if seat.seen >= _LEAST_SEEN), default=0.0
            )
            count = len(self._seats)
            best, chosen = None, -1
            for step in range(count):
                place = (self._turn + step) % count
                seat = self._seats[place]
                rank = self._rank(seat, connected[place], now_s, fastest_s)
                again = place in tried
                if other_only and (rank[0] > 1 or again):
                    continue
                # A slow one answers: one that has just failed may do so before its breaker opens.
                key = (rank[0] if rank[0] > 1 else int(again), rank[1], rank[0], again, seat.calls)
                if best is None or key < best:
                    best, chosen = key, place
            if chosen < 0:
                return -1
            self._turn = chosen + 1
            seat = self._seats[chosen]
            seat.calls += 1
            seat.picked_s = now_s
            seat.breaker.tries(now_s)
            return chosen

    def good(self, connected: Sequence[bool], tried: Collection[int]) -> bool:
        """Whether an endpoint is good that this call has not tried."""
        now_s = self._clock()
        with self._lock:
            return any(
                place not in tried and self._rank(seat, connected[place], now_s, 0.0)[0] < 2
                for place, seat in enumerate(self._seats)
            )

    def free_in_s(self) -> float:
        """Seconds until an endpoint has time that asked to be left alone; 0 if one has now."""
        now_s = self._clock()
        with self._lock:
            return max(0.0, min(seat.rests_until_s for seat in self._seats) - now_s)

    def answered(self, place: int, ranking_s: float | None) -> None:
        """An endpoint answered.

        Args:
            place: of the endpoint.
            ranking_s: how long a ranking took, in seconds; None: it was another call.
        """
        with self._lock:
            seat = self._seats[place]
            seat.calls -= 1
            if ranking_s is not None:
                self._took(seat, ranking_s)
            closed = seat.breaker.answered()
        if closed:
            log.info("endpoint %s: answers again", seat.name)

    def failed(self, place: int, error: PenchantError, ranking_s: float | None = None) -> None:
        """An attempt failed, by a refusal or by a failure of the endpoint itself.

        Args:
            place: of the endpoint.
            error: of the attempt.
            ranking_s: how long a ranking had waited, in seconds; None: it was another call.
        """
        now_s = self._clock()
        rest_s, closed = None, False
        with self._lock:
            seat = self._seats[place]
            seat.calls -= 1
            if isinstance(error, Overloaded) and error.retry_after_ms is not None:
                seat.rests_until_s = max(seat.rests_until_s, now_s + error.retry_after_ms / 1e3)
            if isinstance(error, DeadlineExceeded) and ranking_s is not None:
                self._took(seat, ranking_s)  # So that not each of its next calls waits as long.
            if isinstance(error, Cancelled):
                seat.breaker.dropped()
            elif isinstance(error, _OF_THE_ENDPOINT) and not isinstance(error, _OF_THE_CALL):
                rest_s = seat.breaker.failed(now_s)
            else:
                closed = seat.breaker.answered()  # It refuses, so it is there.
        if rest_s is not None:
            log.warning(
                "endpoint %s: rests for %.1f s after failures in a row; the last: [%s] %s",
                seat.name,
                rest_s,
                error.reason,
                error,
            )
        if closed:
            log.info("endpoint %s: answers again", seat.name)

    def dropped(self, place: int, waited_s: float | None) -> None:
        """A call was given up, because another endpoint was faster or its caller went away.

        Args:
            place: of the endpoint.
            waited_s: how long a ranking had waited for it, in seconds; None: it was another call.
        """
        with self._lock:
            seat = self._seats[place]
            seat.calls -= 1
            seat.breaker.dropped()
            if waited_s is not None and waited_s > seat.latency_s:
                self._took(seat, waited_s)  # It would have taken longer still.

    def _rank(
        self, seat: _Seat, connected: bool, now_s: float, fastest_s: float
    ) -> tuple[int, float]:
        """How good an endpoint is (0 good, 1 slow, 2 overloaded, 3 failing), and from when."""
        if not connected or not seat.breaker.admits(now_s):
            return 3, 0.0
        if seat.rests_until_s > now_s:
            return 2, seat.rests_until_s
        slow = (
            seat.seen >= _LEAST_SEEN
            and seat.latency_s > max(SLOW_FACTOR * fastest_s, fastest_s + SLOW_BY_S)
            and now_s < seat.picked_s + SLOW_AGAIN_S
        )
        return int(slow), 0.0

    def _took(self, seat: _Seat, seconds: float) -> None:
        weight = max(_WEIGHT, 1.0 / (seat.seen + 1))
        seat.latency_s += weight * (seconds - seat.latency_s)
        seat.seen += 1
