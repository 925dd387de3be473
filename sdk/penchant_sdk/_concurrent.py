"""What the synchronous client does side by side: a race of calls, work in the background.

`_aio_concurrent` is the same for asyncio.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from threading import Condition, Event, Thread
from typing import TypeVar

from penchant_sdk._call_handle import CallHandle

T = TypeVar("T")

LONGEST_STOP_S = 5.0
"""Seconds that `Background.stop` waits at most; the work's call has been cancelled by then."""


class _Runner:
    """A call in a thread of its own."""

    def __init__(self) -> None:
        self.handle = CallHandle()
        self.result: bytes | None = None
        self.error: BaseException | None = None

    @property
    def over(self) -> bool:
        return self.result is not None or self.error is not None


class Race:
    """Calls of which the first answer counts; the others are cancelled at the end."""

    def __init__(self) -> None:
        self._runners: list[_Runner] = []
        self._changed = Condition()

    def start(self, call: Callable[..., bytes], *arguments: object) -> None:
        """Starts a call; its last argument is the handle by which it is cancelled."""
        runner = _Runner()
        context = contextvars.copy_context()  # The application's trace.
        self._runners.append(runner)

        def run() -> None:
            try:
                found = context.run(call, *arguments, runner.handle)
            except BaseException as error:  # noqa: BLE001  # Raised by `answer`, in the caller.
                with self._changed:
                    runner.error = error
                    self._changed.notify()
            else:
                with self._changed:
                    runner.result = found
                    self._changed.notify()

        Thread(target=run, name="penchant-race", daemon=True).start()

    def over_in(self, seconds: float) -> bool:
        """Waits, at most so long, until one of the calls is over; returns whether one is."""
        end_s = time.monotonic() + seconds
        with self._changed:
            while not any(runner.over for runner in self._runners):
                left_s = end_s - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(left_s)
            return True

    def answer(self) -> bytes:
        """The first answer; if all calls fail, the error of the first call is raised."""
        with self._changed:
            while True:
                for runner in self._runners:
                    if runner.result is not None:
                        return runner.result
                if all(runner.over for runner in self._runners):
                    error = self._runners[0].error
                    assert error is not None
                    raise error
                self._changed.wait()

    def cancel(self) -> None:
        """Cancels the calls that are under way."""
        for runner in self._runners:
            if not runner.over:
                runner.handle.cancel()


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
