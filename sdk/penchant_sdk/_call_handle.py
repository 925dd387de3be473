"""Lets another thread cancel a call under way.

>>> handle = CallHandle()
>>> handle.cancel()  # Nothing is under way yet: what comes next is cancelled at once.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import grpc


class CallHandle:
    """Cancels the calls that are made through it, those to come included; thread-safe.

    In asyncio it does nothing: there, cancelling the task cancels the call that it awaits.
    """

    __slots__ = ("_call", "_cancelled", "_late", "_late_s", "_lock")

    def __init__(self, late_s: float | None = None, late: Callable[[], None] | None = None) -> None:
        """Makes a handle.

        Args:
            late_s: seconds after which `late` is called if there is no answer. None: never.
            late: called once at most, in the thread of the call.
        """
        self._lock = Lock()
        self._call: Any = None
        self._cancelled = False
        self._late_s = late_s
        self._late = late

    def wrap(self, method: Any) -> Callable[..., Any]:
        """A method of a channel, through which each call can be cancelled."""
        begin = getattr(method, "future", None)
        if begin is None:
            return method  # type: ignore[no-any-return]  # A method of an asyncio channel.

        def call(request: object, **options: Any) -> Any:
            future = begin(request, **options)
            with self._lock:
                self._call, cancelled = future, self._cancelled
            if cancelled:
                future.cancel()
            late, self._late = self._late, None
            if late is not None:
                try:
                    return future.result(timeout=self._late_s)
                except grpc.FutureTimeoutError:
                    late()
            return future.result()

        return call

    def cancel(self) -> None:
        """Cancels the call under way, whose caller gets `grpc.FutureCancelledError`."""
        with self._lock:
            self._cancelled, call = True, self._call
        if call is not None:
            call.cancel()
