"""What the asynchronous client does side by side: a race of calls, work in the background.

`_concurrent` is the same for threads; both are written by hand, because the two worlds differ here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from penchant_sdk._call_handle import CallHandle

T = TypeVar("T")


class AsyncRace:
    """Calls of which the first answer counts; the others are cancelled at the end."""

    def __init__(self) -> None:
        self._running: list[asyncio.Task[bytes]] = []

    def start(self, call: Callable[..., Coroutine[Any, Any, bytes]], *arguments: object) -> None:
        """Starts a call; its last argument is the handle by which it is cancelled."""
        task = asyncio.ensure_future(call(*arguments, CallHandle()))
        task.add_done_callback(_retrieve)
        self._running.append(task)

    async def over_in(self, seconds: float) -> bool:
        """Waits, at most so long, until one of the calls is over; returns whether one is."""
        done, _ = await asyncio.wait(
            self._running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)

    async def answer(self) -> bytes:
        """The first answer; if all calls fail, the error of the first call is raised."""
        left: set[asyncio.Task[bytes]] = set(self._running)
        while left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled() and task.exception() is None:
                    return task.result()
        return self._running[0].result()

    def cancel(self) -> None:
        """Cancels the calls that are under way."""
        for task in self._running:
            task.cancel()


def _retrieve(task: asyncio.Task[bytes]) -> None:
    """Looks at a task's error, which asyncio would otherwise report as never retrieved."""
    if not task.cancelled():
        task.exception()


class AsyncBackground:
    """Work beside the calls, one at a time."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Starts the work; False without a running event loop, where none can be started."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        self._task = asyncio.ensure_future(work())
        return True

    async def pause(self, seconds: float) -> bool:
        """Waits; returns whether the work should go on."""
        await asyncio.sleep(seconds)
        return True

    async def stop(self) -> None:
        """Ends the work."""
        task, self._task = self._task, None
        if task is not None and task.get_loop() is asyncio.get_running_loop():
            task.cancel()
            await asyncio.wait([task])


async def off_loop(work: Callable[..., T], *arguments: object) -> T:
    """The result of work that waits for a disk, done where it does not stop the event loop."""
    return await asyncio.to_thread(work, *arguments)
