"""`run`, the method through which clients built on top reach the server."""

from __future__ import annotations

import asyncio

import pytest

from penchant_sdk import Event, InvalidRequest, Item, UserNotFound, _operations
from penchant_sdk._operations import Operation
from penchant_sdk.testing import AsyncFakePenchant, FakePenchant


def windows(*users: str) -> Operation[list[int]]:
    """The length of each user's window; 0 for an unknown user."""
    lengths = []
    for user in users:
        try:
            state = yield from _operations.user(user)
        except UserNotFound:
            lengths.append(0)
        else:
            lengths.append(len(state.window))
    return lengths


def constant() -> Operation[int]:
    yield from ()
    return 7


def test_an_operation_is_made_of_others_and_may_handle_their_errors() -> None:
    penchant = FakePenchant()
    penchant.put_items([Item("1", "a film")])
    penchant.feedback([Event(user="ann", item="1", signal="like")])
    assert penchant.run(windows("bob", "ann", "cat")) == [0, 1, 0]
    asynchronous = AsyncFakePenchant(penchant.server)
    assert asyncio.run(asynchronous.run(windows("bob", "ann", "cat"))) == [0, 1, 0]


def test_an_operation_that_sends_nothing_has_its_result() -> None:
    assert FakePenchant().run(constant()) == 7
    assert asyncio.run(AsyncFakePenchant().run(constant())) == 7


def test_an_error_that_the_operation_does_not_handle_is_raised() -> None:
    with pytest.raises(UserNotFound):
        FakePenchant().run(_operations.user("bob"))
    with pytest.raises(InvalidRequest, match="timeout_s"):
        FakePenchant().run(_operations.user("bob"), timeout_s=0)
