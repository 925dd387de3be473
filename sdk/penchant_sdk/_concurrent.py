"""What the synchronous client does side by side: a race of calls, work in the background.

`_aio_concurrent` is the same for asyncio.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import TypeVar

import grpc

from penchant_sdk._call_handle import CallHandle
from penchant_sdk.errors import PenchantError

T = TypeVar("T")

LONGEST_STOP_S = 5.0
"""Seconds that `Background.stop` waits at most; the work's call has been cancelled by then."""


class Race:
    """Calls of which the first answer counts; the others are cancelled.

    The first call runs in its caller's thread, so that a call which nobody joins needs no other.
    """

    def __init__(self) -> None:
        self._first = CallHandle()
        self._others: list[CallHandle] = []
        self._answer: bytes | None = None
        self._running = 0
        self._changed = Condition()

    def run(
        self,
        after_s: float,
        join: Callable[[], None],
        call: Callable[..., bytes],
        *arguments: object,
    ) -> bytes:
        """The first answer; if all calls fail, the error of the first call is raised.

        Args:
            after_s: seconds after which others may join the call.
            join: starts them.
            call: the first call.
            arguments: of the call, whose last argument is a handle that cancels it.
        """
        self._first = CallHandle(after_s, join)
        try:
            return call(*arguments, self._first)
        except (PenchantError, grpc.FutureCancelledError):
            with self._changed:
                while self._answer is None and self._running:
                    self._changed.wait()
            if self._answer is None:
                raise
            return self._answer
        finally:
            for handle in self._others:
                handle.cancel()

    def start(self, call: Callable[..., bytes], *arguments: object) -> None:
        """Starts a call that joins."""
        handle = CallHandle()
        context = contextvars.copy_context()  # The application's trace.

        def run() -> None:
            answer = None
            try:
                answer = context.run(call, *arguments, handle)
            except Exception:  # noqa: BLE001, S110  # The first call's error is the one to raise.
                pass
            finally:
                with self._changed:
                    self._running -= 1
                    self._answer = self._answer or answer
                    self._changed.notify()
            if answer is not None:
                self._first.cancel()

        self._others.append(handle)
        self._running += 1
        Thread(target=run, name="penchant-race", daemon=True).start()


class Background:
    """Work beside the calls, one at a time."""

    def __init__(self) -> None:
        self._stopped = Event()
        self._thread: Thread | None = None

    def start(self, work: Callable[[], None]) -> bool:
        """Starts the work."""
        self._thread = Thread(target=work, name="penchant-background", daemon=True)
        self._thread.start()
        return True

    def pause(self, seconds: float) -> bool:
        """Waits; returns whether the work should go on."""
        return not self._stopped.wait(seconds)

    def stop(self) -> None:
        """Ends the work."""
        self._stopped.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(LONGEST_STOP_S)


def off_loop(work: Callable[..., T], *arguments: object) -> T:
    """The result of the work."""
    return work(*arguments)
