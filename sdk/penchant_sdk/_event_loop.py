"""An asynchronous client's one event loop, in which its connection lives, and that loop's tasks.

>>> guard = EventLoopGuard()
>>> async def call() -> None:
...     guard.check()
>>> asyncio.run(call())
>>> asyncio.run(call())  # doctest: +ELLIPSIS
Traceback (most recent call last):
penchant_sdk.errors.InvalidRequest: event loop: got a call in a second one, expected that of ...
"""

from __future__ import annotations

import asyncio

from penchant_sdk.errors import InvalidRequest


class EventLoopGuard:
    """Remembers the event loop of the first call, and refuses calls in any other."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> None:
        """Checks the running loop.

        Raises:
            InvalidRequest: an earlier call ran in another event loop.
        """
        running = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = running
        if self._loop is not running:
            raise InvalidRequest(
                "event loop: got a call in a second one, expected that of the client's first call; "
                "make a client in each loop (each asyncio.run is one), or use Penchant"
            )


def task_is_cancelled() -> bool:
    """Whether somebody asked the running task to end.

    A call that ends by `asyncio.CancelledError` without that was ended by its connection.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
