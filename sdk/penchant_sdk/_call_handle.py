"""Lets another thread cancel a call under way.

>>> handle = CallHandle()
>>> handle.cancel()  # Nothing is under way yet: what comes next is cancelled at once.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any


class CallHandle:
    """Cancels the calls that are made through it, those to come included; thread-safe.

    In asyncio it does nothing: there, cancelling the task cancels the call that it awaits.
    """

    __slots__ = ("_call", "_cancelled", "_lock")

    def __init__(self) -> None:
        self._lock = Lock()
        self._call: Any = None
        self._cancelled = False

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
            return future.result()

        return call

    def cancel(self) -> None:
        """Cancels the call under way, whose caller gets `grpc.FutureCancelledError`."""
        with self._lock:
            self._cancelled, call = True, self._call
        if call is not None:
            call.cancel()
