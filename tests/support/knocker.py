"""Calls a server with any headers and any body parameters, by gRPC and by HTTP, as no client of
ours would."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import cast

import grpc
from tritonclient.grpc import service_pb2

from penchant_proto.local_targets import proxy_options
from penchant_proto.methods import METHODS, REQUEST_TENSOR
from penchant_proto.v1.service_pb2 import Call, Reply

Headers = Sequence[tuple[str, str]]


class Knocker(AbstractContextManager["Knocker"]):
    """A connection by gRPC, and one by HTTP for each call."""

    def __init__(self, target: str, http_url: str) -> None:
        self._channel = grpc.insecure_channel(target, options=proxy_options(target))
        self._infer = self._channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=service_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=service_pb2.ModelInferResponse.FromString,
        )
        self._http = http_url.removeprefix("http://")

    def __exit__(self, *exc: object) -> None:
        self._channel.close()

    def grpc(
        self, call: Call, headers: Headers = (), parameters: Mapping[str, str] | None = None
    ) -> Reply | str:
        """The reply, or the text of the error."""
        payload = call.SerializeToString()
        request = service_pb2.ModelInferRequest(
            model_name=METHODS[call.WhichOneof("method") or ""].model,
            inputs=[
                service_pb2.ModelInferRequest.InferInputTensor(
                    name=REQUEST_TENSOR, datatype="BYTES", shape=[1, 1]
                )
            ],
            raw_input_contents=[len(payload).to_bytes(4, "little") + payload],
        )
        for name, value in (parameters or {}).items():
            request.parameters[name].string_param = value
        try:
            response = self._infer(request, timeout=60.0, metadata=tuple(headers))
        except grpc.RpcError as error:
            return cast(grpc.Call, error).details() or ""
        return Reply.FromString(b"".join(response.raw_output_contents)[4:])

    def http(self, call: Call, headers: Headers = (), parameters: str = "{}") -> tuple[int, str]:
        """The status and the body of the answer; `parameters` is any JSON."""
        payload = call.SerializeToString()
        tensor = {
            "name": REQUEST_TENSOR,
            "datatype": "BYTES",
            "shape": [1, 1],
            "parameters": {"binary_data_size": len(payload) + 4},
        }
        head = f'{{"parameters": {parameters}, "inputs": {json.dumps([tensor])}}}'.encode()
        body = head + len(payload).to_bytes(4, "little") + payload
        connection = http.client.HTTPConnection(self._http, timeout=60.0)
        try:
            model = METHODS[call.WhichOneof("method") or ""].model
            connection.putrequest("POST", f"/v2/models/{model}/infer")
            connection.putheader("Inference-Header-Content-Length", str(len(head)))
            connection.putheader("Content-Length", str(len(body)))
            for name, value in headers:
                connection.putheader(name, value)
            connection.endheaders()
            connection.send(body)
            response = connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        finally:
            connection.close()


def bearer(token: str) -> Headers:
    """The header of a token."""
    return (("authorization", f"Bearer {token}"),)
