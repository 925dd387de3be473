"""An asyncio client with the synchronous one's interface: one suite of laws runs on both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from penchant_sdk import AsyncPenchant, Penchant


class _Blocking:
    """Runs each verb of an asyncio client in its loop, and waits for the result."""

    def __init__(self, client: AsyncPenchant, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        method = getattr(self._client, verb)

        def call(*arguments: Any, **named: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(
                method(*arguments, **named), self._loop
            ).result()

        return call


@contextmanager
def blocking(client: AsyncPenchant) -> Iterator[Penchant]:
    """The client as a `Penchant`, with its loop in another thread; closed at the end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    penchant = cast(Penchant, _Blocking(client, loop))
    try:
        yield penchant
        penchant.close()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
