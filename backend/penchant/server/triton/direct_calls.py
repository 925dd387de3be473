"""Calls that the compiled way answers where Triton hands them over, in as few steps as can be.

Between two calls other processes take the processor's caches. A call that comes alone then pays for
each function and each object that it touches, seven times what the same costs in a loop; so what
the general way does in fifty small functions is written out here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from penchant.domain.errors import PenchantError
from penchant.server.dispatch import NativeVerb
from penchant.server.triton.process_turn import ProcessTurn
from penchant.server.triton.prometheus import TritonMeter
from penchant.service.attempt import attempt
from penchant_proto.methods import REPLY_TENSOR, REQUEST_TENSOR


class DirectCalls:
    """The calls of one method, on a server whose callers need no token, and without traces."""

    def __init__(
        self,
        pb_utils: Any,
        field: str,
        native: NativeVerb,
        request_bytes: int,
        turn: ProcessTurn,
        meter: TritonMeter,
    ) -> None:
        """Takes what a call needs.

        Args:
            pb_utils: Triton's module.
            field: the method's field of `Call.method`.
            native: its compiled way.
            request_bytes: size limit of one serialized call, in bytes.
            turn: of this process.
            meter: receives the measurements.
        """
        self._find = pb_utils.get_input_tensor_by_name
        self._tensor, self._response = pb_utils.Tensor, pb_utils.InferenceResponse
        self._field = field
        self._native = native
        self._request_bytes = request_bytes
        self._turn = turn
        self._meter = meter

    def answer(self, requests: Sequence[Any], arrived_s: float) -> list[Any]:
        """One response per request; None for one that takes the general way.

        Args:
            requests: as Triton handed them over.
            arrived_s: when, on the monotonic clock.
        """
        responses: list[Any] = [None] * len(requests)
        places: list[int] = []
        calls: list[Any] = []
        for place, request in enumerate(requests):
            tensor = self._find(request, REQUEST_TENSOR)
            array = None if tensor is None else tensor.as_numpy()
            if array is None or array.size != 1:
                continue
            payload = array.item()
            if len(payload) > self._request_bytes:
                continue
            call = self._native.parse(payload)
            if call is not None:
                places.append(place)
                calls.append(call)
        if not calls:
            return responses
        self._turn.take_small()
        try:
            replies = attempt(self._native.answer, calls)
        finally:
            self._turn.end_small()
        if isinstance(replies, PenchantError):
            return responses
        answered = counted = 0
        for place, call, reply in zip(places, calls, replies, strict=True):
            if reply is not None:
                payload = np.array([[reply]], dtype=np.object_)
                responses[place] = self._response([self._tensor(REPLY_TENSOR, payload)])
                answered += 1
                counted += not call.health_check
        seconds = time.monotonic() - arrived_s
        if answered:
            self._meter.answered_together(self._field, answered, counted, seconds)
        return responses
