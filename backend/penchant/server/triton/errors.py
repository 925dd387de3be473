"""Domain errors to Triton errors: the only place that knows both."""

from __future__ import annotations

from typing import Any

from penchant.domain.errors import ErrorKind, PenchantError

CODE_OF = {
    ErrorKind.INVALID: "INVALID_ARG",
    ErrorKind.NOT_FOUND: "NOT_FOUND",
    ErrorKind.CONFLICT: "ALREADY_EXISTS",
    ErrorKind.UNAVAILABLE: "UNAVAILABLE",
    ErrorKind.UNSUPPORTED: "UNSUPPORTED",
    ErrorKind.INTERNAL: "INTERNAL",
}
"""The Triton error code of each kind of domain error."""

INTERNAL_TEXT = "internal error; the server's log says more"
"""The only text that a client gets about a fault of the server."""


def message_of(error: PenchantError) -> str:
    """The message for the client: the stable reason in brackets, then the text.

    >>> from penchant.domain.errors import InvalidRequest, StateCorrupt
    >>> message_of(InvalidRequest("k: got 0, expected 1 to 1000"))
    '[InvalidRequest] k: got 0, expected 1 to 1000'
    >>> message_of(StateCorrupt("user record: checksum differs"))
    "[StateCorrupt] internal error; the server's log says more"
    """
    text = INTERNAL_TEXT if error.kind is ErrorKind.INTERNAL else str(error)
    return f"[{error.reason}] {text}"


def to_triton(pb_utils: Any, error: PenchantError) -> Any:
    """The `TritonError` of a domain error, with its code and message."""
    code = getattr(pb_utils.TritonError, CODE_OF[error.kind])
    return pb_utils.TritonError(message_of(error), code)
