"""Every domain error has a place in the table."""

from __future__ import annotations

import pytest

from penchant.domain import errors
from penchant.domain.errors import ErrorKind, PenchantError
from penchant.server.triton.errors import CODE_OF, INTERNAL_TEXT, message_of, to_triton
from tests.support.fake_pb_utils import FakePbUtils, TritonError


def subclasses(of: type[PenchantError]) -> list[type[PenchantError]]:
    return [of, *(deeper for one in of.__subclasses__() for deeper in subclasses(one))]


ERRORS = [error for error in subclasses(PenchantError) if error.__module__.startswith("penchant.")]
"""All of Penchant's errors, in whatever module."""

CODES = {
    "InvalidRequest": "INVALID_ARG",
    "InvalidEvent": "INVALID_ARG",
    "UnknownItem": "INVALID_ARG",
    "Unauthenticated": "INVALID_ARG",
    "PermissionDenied": "INVALID_ARG",
    "UserNotFound": "NOT_FOUND",
    "UserForgotten": "INVALID_ARG",
    "EventIdReused": "ALREADY_EXISTS",
    "StoreUnavailable": "UNAVAILABLE",
    "EncoderUnavailable": "UNAVAILABLE",
    "Overloaded": "UNAVAILABLE",
    "StateBehind": "UNAVAILABLE",
    "StateTooNew": "UNSUPPORTED",
    "StateCorrupt": "INTERNAL",
    "InternalError": "INTERNAL",
    "ConfigError": "INTERNAL",
    "PenchantError": "INTERNAL",
}


def test_the_table_names_every_error_of_the_domain() -> None:
    named = {error.__name__ for error in ERRORS if error.__module__ == errors.__name__}
    assert named == set(CODES)


def test_every_kind_has_a_code_that_triton_knows() -> None:
    assert set(CODE_OF) == set(ErrorKind)
    assert all(hasattr(TritonError, code) for code in CODE_OF.values())


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_its_code_and_its_reason(error: type[PenchantError]) -> None:
    sent = to_triton(FakePbUtils(), error("k: got 0, expected 1"))
    assert sent.code == getattr(TritonError, CODES.get(error.__name__, CODE_OF[error.kind]))
    assert sent.text.startswith(f"[{error.__name__}] ")


@pytest.mark.parametrize("error", ERRORS)
def test_only_what_is_internal_keeps_its_text_to_itself(error: type[PenchantError]) -> None:
    message = message_of(error("/secret/path"))
    hidden = error.kind is ErrorKind.INTERNAL
    assert ("/secret/path" in message) != hidden
    assert (INTERNAL_TEXT in message) == hidden
