"""The token of a client: what counts as one, and that it goes along with every call."""

from __future__ import annotations

import pytest

from penchant_sdk import AsyncPenchant, InvalidRequest, Penchant
from penchant_sdk._bearer import Bearer
from penchant_sdk.errors import Unauthenticated


@pytest.mark.parametrize("token", ["", "a b", "a\n", "é", "x" * 4097, 7])
def test_what_is_no_token_is_refused_at_once(token: str) -> None:
    for client in (Penchant, AsyncPenchant):
        with pytest.raises(InvalidRequest, match="token: got"):
            client("localhost:1", token=token)
    with pytest.raises(InvalidRequest, match="token: got"):
        Bearer(lambda: token, ()).metadata(token)


def test_a_token_and_a_header_of_ones_own_exclude_each_other() -> None:
    with pytest.raises(InvalidRequest, match="expected either"):
        Penchant("localhost:1", token="a", metadata=[("Authorization", "Bearer b")])


def test_a_function_is_asked_for_each_call() -> None:
    tokens = iter("ab")
    bearer = Bearer(lambda: next(tokens), (("x", "y"),))
    shown = [bearer.metadata(bearer.ask())[-1][1] for _ in range(2)]
    assert shown == ["Bearer a", "Bearer b"]
    assert Bearer("t", (("x", "y"),)).metadata(None) == (("x", "y"), ("authorization", "Bearer t"))
    assert Bearer(None, (("x", "y"),)).metadata(None) == (("x", "y"),)


def test_only_an_expired_token_of_a_function_is_worth_another_call() -> None:
    expired = Unauthenticated("authorization: the token expired 40 s ago, expected another")
    forged = Unauthenticated("authorization: the token's signature is wrong")
    assert Bearer(lambda: "t", ()).worth_another(expired)
    assert not Bearer(lambda: "t", ()).worth_another(forged)
    assert not Bearer("t", ()).worth_another(expired)
