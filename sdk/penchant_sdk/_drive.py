"""Drives a plan over a transport: twins, one with threads in mind and one for asyncio."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

from penchant_proto.v1 import service_pb2
from penchant_sdk._calls import Plan, Request, first_request
from penchant_sdk._replies import parse
from penchant_sdk._retry import Attempts, RetryPolicy
from penchant_sdk._transport import AsyncTransport, Transport
from penchant_sdk._wire import MODELS
from penchant_sdk.errors import DeadlineExceeded, ModelNotFound, PenchantError, Unavailable

T = TypeVar("T")

NOT_READY = (DeadlineExceeded, ModelNotFound, Unavailable)
"""Errors that answer the question whether a server is ready; the others are errors."""


class Driver:
    """Sends the requests of a plan, each with its own deadline and retries."""

    __slots__ = ("_policy", "transport")

    def __init__(self, transport: Transport, policy: RetryPolicy) -> None:
        self.transport = transport
        self._policy = policy

    def run(self, plan: Plan[T], timeout_s: float) -> T:
        """The result of the plan, which may need no call at all."""
        try:
            request = first_request(plan)
            while True:
                request = plan.send(self._send(request, timeout_s))
        except StopIteration as done:
            result: T = done.value
            return result

    def _send(self, request: Request, timeout_s: float) -> service_pb2.Reply:
        attempts = Attempts(self._policy, request.verb, timeout_s)
        while True:
            left_s = attempts.remaining_s()
            try:
                answer = self.transport.infer(request.model, request.payload, left_s)
            except PenchantError as error:
                pause_s = attempts.pause_after(error)
            else:
                return parse(request.verb, answer)
            time.sleep(pause_s)

    def ready(self, timeout_s: float) -> bool:
        """Whether all models take requests; one attempt each, under one deadline."""
        attempts = Attempts(self._policy, "ready", timeout_s)
        try:
            for model in MODELS:
                if not self.transport.model_ready(model, attempts.remaining_s()):
                    return False
        except NOT_READY:
            return False
        return True


class AsyncDriver:
    """The same as `Driver`, for asyncio."""

    __slots__ = ("_policy", "transport")

    def __init__(self, transport: AsyncTransport, policy: RetryPolicy) -> None:
        self.transport = transport
        self._policy = policy

    async def run(self, plan: Plan[T], timeout_s: float) -> T:
        """The result of the plan, which may need no call at all."""
        try:
            request = first_request(plan)
            while True:
                request = plan.send(await self._send(request, timeout_s))
        except StopIteration as done:
            result: T = done.value
            return result

    async def _send(self, request: Request, timeout_s: float) -> service_pb2.Reply:
        attempts = Attempts(self._policy, request.verb, timeout_s)
        while True:
            left_s = attempts.remaining_s()
            try:
                answer = await self.transport.infer(request.model, request.payload, left_s)
            except PenchantError as error:
                pause_s = attempts.pause_after(error)
            else:
                return parse(request.verb, answer)
            await asyncio.sleep(pause_s)

    async def ready(self, timeout_s: float) -> bool:
        """Whether all models take requests; one attempt each, under one deadline."""
        attempts = Attempts(self._policy, "ready", timeout_s)
        try:
            for model in MODELS:
                if not await self.transport.model_ready(model, attempts.remaining_s()):
                    return False
        except NOT_READY:
            return False
        return True
