"""A gRPC server that answers as Triton does, with made-up rankings: an endpoint that tests control.

    python -m tests.support.stub_endpoint PORT LEDGER

is one in a process of its own, for `kill -9`; it appends the ids of the events that it accepts to a
file, one a line, and prints its port.
"""

from __future__ import annotations

import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import Any, Self

import grpc

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.v1 import feedback_pb2, service_pb2

_SERVICE = "inference.GRPCInferenceService"
_LENGTH = struct.Struct("<I")
ITEM = "1"

Failure = tuple[grpc.StatusCode, str]


class StubEndpoint:
    """The endpoint: it counts calls, keeps events, and fails or waits as it is told."""

    def __init__(self, *, versions: Counter[str] | None = None) -> None:
        """Makes an endpoint on a free port, not yet started.

        Args:
            versions: the users' state versions, perhaps shared with other endpoints.
        """
        self.port = 0
        self.calls = 0
        self.delay_s = 0.0
        self.failure: Failure | None = None
        self.refused_id = ""
        """Id of an event for which a whole call is refused."""
        self.events: list[tuple[str, str]] = []
        """User and event id of each accepted event."""
        self.versions = Counter[str]() if versions is None else versions
        self.peers: list[str] = []
        self.accepted: Callable[[str], None] = lambda event_id: None
        self._server: grpc.Server | None = None
        self._lock = threading.Lock()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listens, on the port of before if there was one."""
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            "ModelInfer": grpc.unary_unary_rpc_method_handler(
                self._infer,
                request_deserializer=kserve_pb2.ModelInferRequest.FromString,
                response_serializer=kserve_pb2.ModelInferResponse.SerializeToString,
            ),
            "ModelReady": grpc.unary_unary_rpc_method_handler(
                lambda request, context: kserve_pb2.ModelReadyResponse(ready=True),
                request_deserializer=kserve_pb2.ModelReadyRequest.FromString,
                response_serializer=kserve_pb2.ModelReadyResponse.SerializeToString,
            ),
        }
        server = grpc.server(futures.ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(_SERVICE, handlers)])
        self.port = server.add_insecure_port(f"127.0.0.1:{self.port}")
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """Goes away; calls under way are cut off."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _infer(
        self, request: kserve_pb2.ModelInferRequest, context: grpc.ServicerContext
    ) -> kserve_pb2.ModelInferResponse:
        with self._lock:
            self.calls += 1
            self.peers.append(context.peer())
        if self.delay_s:
            time.sleep(self.delay_s)
        if self.failure is not None:
            context.abort(*self.failure)
        call = service_pb2.Call.FromString(request.raw_input_contents[0][4:])
        if any(event.event_id == self.refused_id for event in call.feedback.events):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "[InvalidRequest] events: got one")
        reply = self._feedback(call) if call.HasField("feedback") else self._rank(call, context)
        raw = reply.SerializeToString()
        return kserve_pb2.ModelInferResponse(
            model_name=request.model_name, raw_output_contents=[_LENGTH.pack(len(raw)) + raw]
        )

    def _rank(self, call: service_pb2.Call, context: grpc.ServicerContext) -> service_pb2.Reply:
        version = self.versions[call.rank.user]
        if call.rank.k > 1000:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "[InvalidRequest] k: got too many")
        if version < call.rank.min_state_version:
            context.abort(grpc.StatusCode.UNAVAILABLE, "[StateBehind] min_state_version: ahead")
        reply = service_pb2.Reply()
        reply.rank.state_version = version
        reply.rank.items.add(id=ITEM)
        return reply

    def _feedback(self, call: service_pb2.Call) -> service_pb2.Reply:
        reply = service_pb2.Reply()
        with self._lock:
            known = set(self.events)
            for event in call.feedback.events:
                result = reply.feedback.results.add(event_id=event.event_id)
                if (event.user, event.event_id) in known:
                    result.status = feedback_pb2.EventResult.STATUS_DUPLICATE
                else:
                    result.status = feedback_pb2.EventResult.STATUS_ACCEPTED
                    self.events.append((event.user, event.event_id))
                    known.add((event.user, event.event_id))
                    self.versions[event.user] += 1
                    self.accepted(event.event_id)
                result.state_version = self.versions[event.user]
        return reply


def _main(port: int, ledger: Path) -> None:
    endpoint = StubEndpoint()
    endpoint.port = port
    with ledger.open("a", buffering=1) as file, endpoint:
        endpoint.accepted = lambda event_id: print(event_id, file=file)
        print(endpoint.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _main(int(sys.argv[1]), Path(sys.argv[2]))
