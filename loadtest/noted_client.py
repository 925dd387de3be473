"""A client of several servers that sends each verb to the next one, and notes what they promised.

So each step of a session goes to another server than the one before it: what one acknowledged, the
next one must rank by.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from typing import TypeVar

from loadtest.ack_ledger import AckLedger
from penchant_proto.v1 import service_pb2
from penchant_proto.v1.feedback_pb2 import EventResult
from penchant_sdk import Penchant
from penchant_sdk._operations import EncodedCall, Operation
from penchant_sdk._transport import Transport

T = TypeVar("T")

_DURABLE = (EventResult.STATUS_ACCEPTED, EventResult.STATUS_DUPLICATE)


class NotedClient(Penchant):
    """See the module; each server has a client of its own, so no retry goes to another one."""

    def __init__(
        self,
        targets: Sequence[str],
        ledger: AckLedger,
        *,
        token: str | None = None,
        transports: Sequence[Transport] = (),
    ) -> None:
        """Connects to nothing yet.

        Args:
            targets: gRPC addresses of the servers, 1 or more.
            ledger: receives acknowledgements and degraded rankings; closed with the client.
            token: shown to the servers.
            transports: carry the calls instead of gRPC, one a server, for tests.
        """
        carried: Sequence[Transport | None] = list(transports) or [None] * len(targets)
        super().__init__(targets[0], token=token, transport=carried[0])
        others = zip(targets[1:], carried[1:], strict=True)
        self._servers: list[Penchant] = [
            Penchant(target, token=token, transport=transport) for target, transport in others
        ]
        self._ledger = ledger
        self._turns = itertools.count()
        self._called = threading.local()  # Locust has patched it: one for each of its clients.

    @property
    def server(self) -> int:
        """The number of the server, from 1, to which the caller's last verb went."""
        return int(getattr(self._called, "server", 1))

    def run(
        self, operation: Operation[T], *, timeout_s: float | None = None, bulk: bool = False
    ) -> T:
        """See `Penchant.run`."""
        number = next(self._turns) % (1 + len(self._servers))
        self._called.server = number + 1
        noted = self._noted(operation)
        if number == 0:
            return super().run(noted, timeout_s=timeout_s, bulk=bulk)
        return self._servers[number - 1].run(noted, timeout_s=timeout_s, bulk=bulk)

    def close(self) -> None:
        """See `Penchant.close`."""
        super().close()
        for server in self._servers:
            server.close()
        self._ledger.close()

    def _noted(self, operation: Operation[T]) -> Operation[T]:
        """The same operation, whose replies are noted as they come."""

        def noted() -> Operation[T]:
            reply = service_pb2.Reply()
            call: EncodedCall | None = None
            while True:
                if call is not None:
                    reply = yield call
                    self._note(call, reply)
                try:
                    call = operation.send(reply) if call is not None else next(operation)
                except StopIteration as done:
                    result: T = done.value
                    return result

        return noted()

    def _note(self, call: EncodedCall, reply: service_pb2.Reply) -> None:
        if call.verb == "rank" and reply.rank.degraded:
            self._ledger.degraded(time.time())
        if call.verb != "feedback":
            return
        sent = service_pb2.Call.FromString(call.payload).feedback.events
        pairs = zip(sent, reply.feedback.results, strict=True)
        durable = [
            (event.user, event.event_id) for event, result in pairs if result.status in _DURABLE
        ]
        if durable:
            self._ledger.acknowledged(time.time(), durable)
