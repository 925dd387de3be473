"""A gRPC server in this process that answers as Triton does, backed by the fake."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.methods import METHODS
from penchant_sdk.testing import FakeServer, StatusError

MODELS = {method.model for method in METHODS.values()}


@dataclass
class Wire:
    """The server, and what the tests may look at or replace."""

    target: str = ""
    fake: FakeServer = field(default_factory=FakeServer)
    requests: list[kserve_pb2.ModelInferRequest] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    not_ready: set[str] = field(default_factory=set)
    answer: Callable[[kserve_pb2.ModelInferRequest], bytes] | None = None
    """Instead of the fake's: the raw output."""

    def infer(
        self, request: kserve_pb2.ModelInferRequest, context: grpc.ServicerContext
    ) -> kserve_pb2.ModelInferResponse:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        if self.answer is not None:
            raw = self.answer(request)
        else:
            (tensor,), (content,) = request.inputs, request.raw_input_contents
            assert (tensor.name, tensor.datatype, list(tensor.shape)) == (
                "REQUEST",
                "BYTES",
                [1, 1],
            )
            assert struct.unpack_from("<I", content)[0] == len(content) - 4
            try:
                reply = self.fake.infer(content[4:])
            except StatusError as status:
                context.abort(status.code, status.message)
            raw = struct.pack("<I", len(reply)) + reply
        return kserve_pb2.ModelInferResponse(
            model_name=request.model_name, raw_output_contents=[raw]
        )

    def ready(
        self, request: kserve_pb2.ModelReadyRequest, context: grpc.ServicerContext
    ) -> kserve_pb2.ModelReadyResponse:
        ready = request.name in MODELS and request.name not in self.not_ready
        return kserve_pb2.ModelReadyResponse(ready=ready)


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "ModelInfer": grpc.unary_unary_rpc_method_handler(
            wire.infer,
            request_deserializer=kserve_pb2.ModelInferRequest.FromString,
            response_serializer=kserve_pb2.ModelInferResponse.SerializeToString,
        ),
        "ModelReady": grpc.unary_unary_rpc_method_handler(
            wire.ready,
            request_deserializer=kserve_pb2.ModelReadyRequest.FromString,
            response_serializer=kserve_pb2.ModelReadyResponse.SerializeToString,
        ),
    }
    server = grpc.server(futures.ThreadPoolExecutor(8))
    service = "inference.GRPCInferenceService"
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    wire.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield wire
    server.stop(grace=None).wait()
