"""Feedback that no server takes waits in a local file and is delivered later, in order."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from penchant_proto.v1 import event_pb2, feedback_pb2, service_pb2
from penchant_sdk._aio_concurrent import AsyncBackground, off_loop
from penchant_sdk._aio_sender import AsyncSender
from penchant_sdk._operations import EVENTS_PER_CALL, EncodedCall
from penchant_sdk._spool_file import SpoolFile
from penchant_sdk._spool_messages import delivery, events_in, reply_of, spooled
from penchant_sdk.errors import (
    DeadlineExceeded,
    InvalidEvent,
    InvalidRequest,
    PenchantError,
    SpoolRefused,
    Unavailable,
)

log = logging.getLogger("penchant_sdk")

_UNDELIVERED = (Unavailable, DeadlineExceeded)
"""Errors after which the same events may be delivered later."""
_LEAST_TIMEOUT_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0

Reply = service_pb2.Reply


class AsyncSpool:
    """Sends feedback, and keeps what can't be delivered; safe to share as its client is.

    Events of a user who has some waiting wait behind them. While no server takes feedback, further
    events are kept at once.
    """

    def __init__(self, file: SpoolFile, sender: AsyncSender, timeout_s: float) -> None:
        """Takes over what an earlier process left in the file.

        Args:
            file: keeps the events.
            sender: carries calls to a server.
            timeout_s: seconds for one call.
        """
        self._file = file
        self._sender = sender
        self._timeout_s = max(timeout_s, _LEAST_TIMEOUT_S)
        self._lock = Lock()  # Never held while a call waits.
        self._users = Counter(event.user for event in events_in(file.waiting(), file))
        self._away = False
        self._closed = False
        self._running = False
        self._background = AsyncBackground()

    @property
    def waiting(self) -> int:
        """How many events wait."""
        return self._users.total()

    async def send(self, call: EncodedCall, timeout_s: float) -> Reply:
        """The reply to a feedback call: what became of each event, or that it waits.

        Args:
            call: a feedback call.
            timeout_s: seconds for all attempts together.

        Raises:
            SpoolRefused: there was no server, and the file did not take the events either.
            PenchantError: the server refused the call.
        """
        if not self._users and not self._away:
            try:
                return await self._sender.send(call, timeout_s)
            except _UNDELIVERED as error:
                events = service_pb2.Call.FromString(call.payload).feedback.events
                await self._keep(events, error)
                return reply_of([spooled(event) for event in events])
        events = service_pb2.Call.FromString(call.payload).feedback.events
        with self._lock:
            waits = [self._away or event.user in self._users for event in events]
        direct = [event for event, wait in zip(events, waits, strict=True) if not wait]
        results: list[feedback_pb2.EventResult] = []
        if direct:
            try:
                reply = await self._sender.send(delivery(direct), timeout_s)
                results = list(reply.feedback.results)
            except _UNDELIVERED as error:
                await self._keep(events, error)
                return reply_of([spooled(event) for event in events])
        await self._keep([one for one, wait in zip(events, waits, strict=True) if wait], None)
        answers = iter(results)
        return reply_of(
            [
                spooled(event) if wait else next(answers)
                for event, wait in zip(events, waits, strict=True)
            ]
        )

    def start(self) -> None:
        """Begins to deliver what waits, if anything does."""
        with self._lock:
            if self._running or self._closed or not self._users:
                return
            self._running = self._background.start(self._deliver_all)

    async def close(self) -> None:
        """Ends the delivery and closes the sender; what waits stays for the file's next client."""
        with self._lock:
            self._closed = True
        await self._sender.close()  # First, so that the delivery waits for no answer.
        await self._background.stop()
        self._file.close()

    async def _keep(self, events: Sequence[event_pb2.Event], cause: PenchantError | None) -> None:
        """Writes events to the file; `cause` is why they could not be delivered."""
        if not events:
            return
        try:
            await off_loop(self._append, events, cause is not None)
        except SpoolRefused as error:
            why = "earlier events wait" if cause is None else str(cause)
            raise SpoolRefused(f"{error} (not delivered: {why})") from cause
        if cause is not None:
            log.warning(
                "feedback: not delivered, waits in %s: [%s] %s",
                self._file.path,
                cause.reason,
                cause,
            )
        self.start()

    def _append(self, events: Sequence[event_pb2.Event], away: bool) -> None:
        """Writes and counts events, both also if the call is cancelled meanwhile."""
        self._file.append([event.SerializeToString() for event in events])
        with self._lock:
            self._away = self._away or away
            self._users.update(event.user for event in events)

    async def _deliver_all(self) -> None:
        """Delivers from the file's beginning until nothing waits."""
        pause_s = _FIRST_PAUSE_S
        told = ""
        try:
            while True:
                try:
                    if not await self._deliver_some():
                        return
                    pause_s, told = _FIRST_PAUSE_S, ""
                    continue
                except PenchantError as error:
                    if error.reason != told and not (self._closed or _passes(error)):
                        log.error("spool %s: [%s] %s", self._file.path, error.reason, error)
                    told = error.reason
                if self._closed or not await self._background.pause(
                    pause_s * random.uniform(0.5, 1.0)
                ):
                    break
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
        except BaseException:
            self._rest()
            raise
        self._rest()

    def _rest(self) -> None:
        with self._lock:
            self._running = False

    async def _deliver_some(self) -> bool:
        """Delivers the first events; returns whether to go on."""
        rows, behind = await off_loop(self._file.read, EVENTS_PER_CALL)
        events = events_in(rows, self._file)
        if events:
            await self._deliver(events)
        await off_loop(self._file.advance, behind)
        with self._lock:
            self._away = False
            self._users.subtract(event.user for event in events)
            self._users += Counter()  # Those who have none left go.
            # Rows come into the file before they are counted, so that an empty one decides.
            if self._file.empty:
                self._users.clear()
                self._running = False
            return self._running

    async def _deliver(self, events: Sequence[event_pb2.Event]) -> None:
        try:
            reply = await self._sender.send(delivery(events), self._timeout_s)
        except (InvalidRequest, InvalidEvent) as error:
            if len(events) == 1:
                log.error("spool: event %r is refused: %s", events[0].event_id, error)
                return
            half = len(events) // 2
            await self._deliver(events[:half])
            await self._deliver(events[half:])
            return
        for result in reply.feedback.results:
            if result.status == feedback_pb2.EventResult.STATUS_REFUSED:
                log.error(
                    "spool: event %r is refused: [%s] %s",
                    result.event_id,
                    result.reason,
                    result.message,
                )


def _passes(error: PenchantError) -> bool:
    """Whether nobody has to do anything about an error of the delivery."""
    return isinstance(error, _UNDELIVERED) and not isinstance(error, SpoolRefused)
