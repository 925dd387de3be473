"""The one table from the wire to exceptions: complete, and in step with the server's tree."""

from __future__ import annotations

from typing import Any

import pytest
from grpc import StatusCode

import penchant_sdk
from penchant.domain import errors as domain
from penchant.server.in_process import GRPC_CODE_OF
from penchant.server.triton.errors import CODE_OF
from penchant_sdk import (
    Cancelled,
    DeadlineExceeded,
    ModelNotFound,
    Overloaded,
    PenchantError,
    ServerError,
    SpoolRefused,
    Unavailable,
    UserNotFound,
)
from penchant_sdk.errors import error_from_reason, error_from_status

# Made by the client, or of the wire alone.
WITHOUT_REASON = {
    Cancelled,
    DeadlineExceeded,
    ModelNotFound,
    ServerError,
    SpoolRefused,
    SpoolRefused,
    Unavailable,
}


def tree(kind: type[Exception]) -> set[type[Any]]:
    """All subclasses in the class's own module."""
    below: set[type[Any]] = set()
    for each in kind.__subclasses__():
        below |= {each} | tree(each)
    return {each for each in below if each.__module__ == kind.__module__}


SERVER_ERRORS = sorted(
    tree(domain.PenchantError) - {domain.ConfigError}, key=lambda kind: kind.__name__
)
CLIENT_ERRORS = sorted(tree(PenchantError), key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", SERVER_ERRORS)
def test_every_error_of_the_server_has_its_exception(kind: type[domain.PenchantError]) -> None:
    error = kind("k: got 0")
    raised = error_from_status(GRPC_CODE_OF[CODE_OF[kind.kind]], f"[{error.reason}] {error}")
    assert type(raised).__name__ == kind.__name__
    assert str(raised) == "k: got 0"
    assert isinstance(raised, Unavailable) is (kind.kind is domain.ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("kind", CLIENT_ERRORS)
def test_every_exception_is_made_by_the_table_and_exported(kind: type[PenchantError]) -> None:
    assert getattr(penchant_sdk, kind.__name__) is kind
    assert kind.reason == kind.__name__
    named = error_from_reason(kind.reason, "text")
    assert (named is None) is (kind in WITHOUT_REASON)
    if named is not None:
        assert type(named) is kind


@pytest.mark.parametrize("code", list(StatusCode))
def test_every_code_gives_an_error_without_a_reason(code: StatusCode) -> None:
    error = error_from_status(code, "something else")
    assert isinstance(error, PenchantError)
    assert "something else" in str(error)
    assert isinstance(error, Unavailable) is (code is StatusCode.UNAVAILABLE)


def test_text_before_the_reason_is_passed_over() -> None:
    message = "[request id: 7] in model 'x', [Overloaded] queue [StateBehind] full"
    error = error_from_status(StatusCode.UNAVAILABLE, message)
    assert type(error) is Overloaded
    assert str(error) == "queue [StateBehind] full"


def test_reason_of_a_newer_server_falls_back_on_the_code() -> None:
    error = error_from_status(StatusCode.UNAVAILABLE, "[MoonTooHigh] come [UserNotFound] back")
    assert type(error) is Unavailable
    assert str(error) == "[MoonTooHigh] come [UserNotFound] back"


def test_triton_queue_that_is_full_is_overload() -> None:
    error = error_from_status(StatusCode.UNAVAILABLE, "[request id: 1] Exceeds maximum queue size")
    assert type(error) is Overloaded


@pytest.mark.parametrize(
    "message",
    ["Request for unknown model: 'm' has no available versions", "model 'm' is not ready"],
)
def test_triton_that_stops_or_reloads_is_unavailable(message: str) -> None:
    assert type(error_from_status(StatusCode.NOT_FOUND, message)) is Unavailable


@pytest.mark.parametrize(
    "message",
    [
        "Stub process 'penchant_rank_0_1' is not healthy.",
        "Failed to process the request(s) for model instance 'penchant_rank_0_1', message: "
        "Stub process 'penchant_rank_0_1' is not healthy.",
        "Stub process is unhealthy and it will be restarted.",
    ],
)
def test_model_process_that_died_is_unavailable(message: str) -> None:
    assert type(error_from_status(StatusCode.INTERNAL, message)) is Unavailable


def test_user_named_like_a_stopping_server_is_still_not_found() -> None:
    message = "[UserNotFound] user: no event of 'no available versions' was ever accepted"
    assert type(error_from_status(StatusCode.NOT_FOUND, message)) is UserNotFound
