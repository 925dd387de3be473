"""Stands for a Triton that answers one call at a time in a set time: its capacity is known."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.v1 import feedback_pb2, rank_pb2, user_pb2
from penchant_proto.v1.service_pb2 import Call, Reply


@dataclass
class SlowTriton:
    """What it does, and what it was asked."""

    service_s: float
    """Seconds that each call takes, alone."""
    stall_at: float = float("inf")
    """Time on the clock of `time.monotonic` from which calls wait for the stall's end."""
    stall_s: float = 0.0
    refuse: bool = False
    """Whether every call is refused as too much."""
    asked: list[str] = field(default_factory=list)
    """The method of each call."""
    target: str = ""

    def __post_init__(self) -> None:
        self._turn = threading.Lock()

    def infer(self, request: kserve_pb2.ModelInferRequest, context: Any) -> bytes:
        call = Call.FromString(request.raw_input_contents[0][4:])
        method = call.WhichOneof("method") or ""
        self.asked.append(method)
        if self.refuse and method in ("rank", "feedback") and call.rank.k != 1000:
            context.abort(grpc.StatusCode.UNAVAILABLE, "[Overloaded] too much")
        with self._turn:
            now = time.monotonic()
            if self.stall_at <= now < self.stall_at + self.stall_s:
                time.sleep(self.stall_at + self.stall_s - now)
            if method != "forget_user":
                time.sleep(self.service_s)
        reply = {
            "rank": Reply(rank=rank_pb2.RankReply(items=[rank_pb2.RankedItem(id="a")])),
            "feedback": Reply(feedback=feedback_pb2.FeedbackReply()),
            "forget_user": Reply(forget_user=user_pb2.ForgetUserReply()),
        }[method].SerializeToString()
        raw = len(reply).to_bytes(4, "little") + reply
        return kserve_pb2.ModelInferResponse(raw_output_contents=[raw]).SerializeToString()


@contextmanager
def slow_triton(service_s: float) -> Iterator[SlowTriton]:
    """One that listens, until the block ends."""
    stand_in = SlowTriton(service_s)
    handlers: dict[str, Any] = {
        "ModelInfer": grpc.unary_unary_rpc_method_handler(
            stand_in.infer, request_deserializer=kserve_pb2.ModelInferRequest.FromString
        )
    }
    server = grpc.server(ThreadPoolExecutor(64))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("inference.GRPCInferenceService", handlers),)
    )
    stand_in.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield stand_in
    finally:
        server.stop(None).wait()
