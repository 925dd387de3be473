"""What Triton makes of its own error codes on gRPC."""

from __future__ import annotations

from grpc import StatusCode

GRPC_CODE_OF = {
    "INVALID_ARG": StatusCode.INVALID_ARGUMENT,
    "NOT_FOUND": StatusCode.NOT_FOUND,
    "ALREADY_EXISTS": StatusCode.ALREADY_EXISTS,
    "UNAVAILABLE": StatusCode.UNAVAILABLE,
    "UNSUPPORTED": StatusCode.UNIMPLEMENTED,
    "INTERNAL": StatusCode.INTERNAL,
}
