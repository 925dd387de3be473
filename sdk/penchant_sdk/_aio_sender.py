"""Sends a call to one of the client's endpoints, and again where that may help."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

import grpc

from penchant_proto.v1 import service_pb2
from penchant_sdk._aio_concurrent import AsyncRace
from penchant_sdk._aio_transport import AsyncGrpcTransport, AsyncTransport
from penchant_sdk._balance import Balance
from penchant_sdk._call_handle import CallHandle
from penchant_sdk._hedge_delay import HedgeDelay
from penchant_sdk._operations import EncodedCall
from penchant_sdk._replies import parse
from penchant_sdk._retry import NOT_READY, Attempts, RetryPolicy
from penchant_sdk._retry_budget import RetryBudget
from penchant_sdk._wire import MODELS
from penchant_sdk.errors import PenchantError, name_endpoint

log = logging.getLogger("penchant_sdk")

HEDGED = "rank"
"""The verb that may be sent twice at a time: it changes nothing on the server."""
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.0005, 0.01
_SETTLED = (
    grpc.ChannelConnectivity.READY,
    grpc.ChannelConnectivity.TRANSIENT_FAILURE,
    grpc.ChannelConnectivity.SHUTDOWN,
)


class AsyncSender:
    """Carries one call at a time to an endpoint; safe to share between tasks of one event loop."""

    def __init__(self, transport: AsyncTransport, policy: RetryPolicy, budget: RetryBudget) -> None:
        """Sends all calls to one endpoint.

        Args:
            transport: carries them.
            policy: how often a call is tried.
            budget: what the client may spend on retries.
        """
        self._transport = transport
        self._policy = policy
        self._budget = budget

    async def send(self, call: EncodedCall, timeout_s: float) -> service_pb2.Reply:
        """The reply to a call, after retries where they help.

        Args:
            call: the call.
            timeout_s: seconds for all attempts together.

        Raises:
            PenchantError: the call failed.
        """
        attempts = Attempts(self._policy, call.verb, timeout_s, self._budget)
        self._budget.called()
        while True:
            left_s = attempts.remaining_s()
            try:
                answer = await self._transport.infer(call.model, call.payload, left_s)
            except PenchantError as error:
                pause_s = attempts.pause_after(error)
            else:
                return parse(call.verb, answer)
            await asyncio.sleep(pause_s)

    async def ready(self, timeout_s: float) -> bool:
        """Whether an endpoint takes calls of all models; see `AsyncPenchant.ready`."""
        return await self._ready(self._transport, Attempts(self._policy, "ready", timeout_s))

    async def close(self) -> None:
        """Closes all connections."""
        await self._transport.close()

    async def _ready(self, transport: AsyncTransport, attempts: Attempts) -> bool:
        try:
            for model in MODELS:
                if not await transport.model_ready(model, attempts.remaining_s()):
                    return False
        except NOT_READY:
            return False
        return True


class AsyncBalancedSender(AsyncSender):
    """The same for several endpoints; see `Balance` for the choice among them."""

    def __init__(
        self,
        names: Sequence[str],
        transports: Sequence[AsyncGrpcTransport],
        policy: RetryPolicy,
        budget: RetryBudget,
        hedge: HedgeDelay | None,
    ) -> None:
        """Sends calls to several endpoints.

        Args:
            names: of the endpoints.
            transports: for each endpoint, what carries its calls.
            policy: how often a call is tried.
            budget: what the client may spend on retries and hedges.
            hedge: when a ranking goes to a second endpoint too; None: never.
        """
        super().__init__(transports[0], policy, budget)
        self._names = tuple(names)
        self._transports = tuple(transports)
        self._balance = Balance(names)
        self._hedge = hedge

    async def send(self, call: EncodedCall, timeout_s: float) -> service_pb2.Reply:
        """See `AsyncSender.send`; an attempt after a failed one goes to another endpoint."""
        attempts = Attempts(self._policy, call.verb, timeout_s, self._budget)
        self._budget.called()
        tried: list[int] = []
        await self._settle(attempts)
        while True:
            left_s = attempts.remaining_s()
            place = self._balance.pick(self._connected(), tried)
            try:
                if call.verb == HEDGED and self._hedge is not None:
                    answer = await self._hedged(self._hedge, place, call, left_s, tried)
                else:
                    answer = await self._infer(place, call, left_s, tried)
            except PenchantError as error:
                elsewhere = self._balance.good(self._connected(), tried)
                pause_s = attempts.pause_after(
                    error, elsewhere=elsewhere, free_in_s=self._balance.free_in_s()
                )
            else:
                return parse(call.verb, answer)
            if pause_s:
                await asyncio.sleep(pause_s)

    async def ready(self, timeout_s: float) -> bool:
        """See `AsyncSender.ready`: one endpoint is enough."""
        attempts = Attempts(self._policy, "ready", timeout_s)
        await self._settle(attempts)
        for place, connected in enumerate(self._connected()):
            if connected and await self._ready(self._transports[place], attempts):
                return True
        return False

    async def close(self) -> None:
        """See `AsyncSender.close`."""
        for transport in self._transports:
            await transport.close()

    def _connected(self) -> list[bool]:
        ready = grpc.ChannelConnectivity.READY
        return [transport.connectivity is ready for transport in self._transports]

    async def _settle(self, attempts: Attempts) -> None:
        """Waits while no endpoint is connected and one may be soon, as in a client's first call."""
        pause_s = _FIRST_LOOK_S
        while True:
            states = [transport.connectivity for transport in self._transports]
            if grpc.ChannelConnectivity.READY in states:
                return
            if all(state in _SETTLED for state in states):
                return
            await asyncio.sleep(min(pause_s, attempts.remaining_s()))
            pause_s = min(_LONGEST_LOOK_S, 2 * pause_s)

    async def _infer(
        self,
        place: int,
        call: EncodedCall,
        timeout_s: float,
        tried: list[int],
        handle: CallHandle | None = None,
    ) -> bytes:
        """One attempt at an endpoint that was picked; notes what became of it."""
        name, started_s = self._names[place], time.monotonic()
        try:
            answer = await self._transports[place].infer(
                call.model, call.payload, timeout_s, handle
            )
        except PenchantError as error:
            self._balance.failed(place, error)
            tried.append(place)
            name_endpoint(error, name)
            log.debug("%s: %s failed: %s", call.verb, name, error.reason)
            raise
        except BaseException:
            waited_s = time.monotonic() - started_s if call.verb == HEDGED else None
            self._balance.dropped(place, waited_s)
            raise
        took_s = time.monotonic() - started_s
        self._balance.answered(place, took_s if call.verb == HEDGED else None)
        log.debug("%s: %s answered in %.1f ms", call.verb, name, 1e3 * took_s)
        return answer

    async def _hedged(
        self, hedge: HedgeDelay, place: int, call: EncodedCall, timeout_s: float, tried: list[int]
    ) -> bytes:
        """An attempt that another endpoint joins if no answer has come within the hedge's delay."""
        started_s = time.monotonic()
        after_s = hedge.after_s()
        try:
            if after_s is None or after_s >= timeout_s:
                return await self._infer(place, call, timeout_s, tried)
            race = AsyncRace()
            try:
                race.start(self._infer, place, call, timeout_s, tried)
                if not await race.over_in(after_s):
                    self._join(race, place, call, timeout_s - after_s, tried)
                return await race.answer()
            finally:
                race.cancel()
        finally:
            hedge.took(place, time.monotonic() - started_s)

    def _join(
        self, race: AsyncRace, place: int, call: EncodedCall, timeout_s: float, tried: list[int]
    ) -> None:
        """Sends the ranking to a second endpoint, if one is good and the budget allows it."""
        other = self._balance.pick(self._connected(), [*tried, place], other_only=True)
        if other < 0:
            return
        if not self._budget.take():
            self._balance.dropped(other, None)
            return
        log.debug("%s: %s joins %s", call.verb, self._names[other], self._names[place])
        race.start(self._infer, other, call, timeout_s, tried)
