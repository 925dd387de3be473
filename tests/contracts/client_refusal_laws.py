"""The laws of a client: refusals and their messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from penchant_sdk import (
    EncoderUnavailable,
    Event,
    InvalidRequest,
    Item,
    Penchant,
    ReserveOption,
    StateBehind,
    Thompson,
    UnknownItem,
    UserNotFound,
)
from tests.contracts.client_world import Laws, World, unique

REFUSED: dict[str, Callable[[Penchant], object]] = {
    "user: got 257 bytes, expected 1 to 256": lambda penchant: penchant.rank("u" * 257),
    "user: got the control character '\\n', expected none": lambda penchant: penchant.rank("u\n"),
    "k: got 1001, expected 1 to 1000": lambda penchant: penchant.rank("u", k=1001),
    "candidates: got 5001, expected 0 to 5000": lambda penchant: penchant.rank(
        "u", candidates=map(str, range(5001))
    ),
    "candidates[2]: got 'a' twice, expected once": lambda penchant: penchant.rank(
        "u", candidates=["a", "b", "a"]
    ),
    "query: got 2049 bytes, expected at most 2048": lambda penchant: penchant.rank(
        "u", query="q" * 2049
    ),
    "query: got nothing but white space, expected text or no query": lambda penchant: penchant.rank(
        "u", query=" \t"
    ),
    "context: got 33, expected 0 to 32": lambda penchant: penchant.rank(
        "u", context={str(number): "" for number in range(33)}
    ),
    "context: got a key or value of 129 bytes, expected at most 128": lambda penchant: (
        penchant.rank("u", context={"room": "r" * 129})
    ),
    "diversity: got 1.5, expected 0 to 1": lambda penchant: penchant.rank("u", diversity=1.5),
    "diversity: got one together with explore, expected one of the two; "
    "the chances of a diverse list are not known": lambda penchant: penchant.rank(
        "u", explore=Thompson(), diversity=0.5
    ),
    "items[1].id: got 257 bytes, expected 1 to 256": lambda penchant: penchant.put_items(
        [Item("a", "a"), Item("i" * 257, "b")]
    ),
    "items[0].text: got nothing but white space, expected 1 to 8192 bytes of text": (
        lambda penchant: penchant.put_items([Item("a", " ")])
    ),
    "items[0].text: got 8193 bytes, expected 1 to 8192 bytes of text": (
        lambda penchant: penchant.put_items([Item("a", "t" * 8193)])
    ),
    "items[0].attributes: got 65, expected 0 to 64": lambda penchant: penchant.put_items(
        [Item("a", "a", {str(number): "" for number in range(65)})]
    ),
    "items[0].attributes['k']: got 1025 bytes, expected at most 1024": (
        lambda penchant: penchant.put_items([Item("a", "a", {"k": "v" * 1025})])
    ),
    "texts[1]: got nothing but white space, expected 1 to 8192 bytes of text": (
        lambda penchant: penchant.embed(["a", " "])
    ),
    "n: got 101, expected 1 to 100": lambda penchant: penchant.reserve(
        "u", "r", [ReserveOption("a")], n=101
    ),
    "recommendation_id: got 65 bytes, expected 1 to 64": lambda penchant: penchant.reserve(
        "u", "r" * 65, [ReserveOption("a")], n=1
    ),
}
"""Calls that break the contract, by what the server says of them."""


class RefusalLaws(Laws):
    """The messages of refusals, which clients show and tests on the fake pin."""

    @pytest.mark.parametrize("text", REFUSED)
    def test_a_call_that_breaks_the_contract_is_refused_in_these_words(
        self, penchant: Penchant, text: str
    ) -> None:
        with pytest.raises(InvalidRequest) as caught:
            REFUSED[text](penchant)
        assert str(caught.value) == text

    def test_a_refused_event_says_why(self, penchant: Penchant, world: World) -> None:
        good = Event(user=world.user, item=world.space[0], signal="like")
        bad = {
            "signal: got 'overridden', expected one of: click, complete, dislike, hide, "
            "impression, like, purchase, rating, skip, view": replace(good, signal="overridden"),
            "value: missing, expected a number with the signal 'rating'": replace(
                good, signal="rating"
            ),
            "value: got 99, expected 0 to 5 with the signal 'rating'": replace(
                good, signal="rating", value=99
            ),
            "value: got -1, expected 0 to 5 with the signal 'rating'": replace(
                good, signal="rating", value=-1
            ),
            "item: got 'nowhere', which the catalog does not hold": replace(good, item="nowhere"),
            "event_id: got 129 bytes, expected 1 to 128": replace(good, event_id="e" * 129),
            "user: got the control character '\\x00', expected none": replace(good, user="\0"),
        }
        ack = penchant.feedback(bad.values())
        assert [one.message for one in ack.refused] == list(bad)

    def test_what_is_not_there_is_named(self, penchant: Penchant, world: World) -> None:
        user = unique("user")
        with pytest.raises(UserNotFound) as nobody:
            penchant.user(user)
        assert str(nobody.value) == f"user: no event of {user!r} was ever accepted"
        with pytest.raises(UnknownItem) as nothing:
            penchant.reserve(user, "r", [ReserveOption("nowhere")], n=1)
        assert (
            str(nothing.value) == "options[0].item: got 'nowhere', which the catalog does not hold"
        )
        with pytest.raises(StateBehind) as behind:
            penchant.rank(user, min_state_version=2, timeout_s=30)
        assert str(behind.value).startswith(
            "min_state_version: got 2, the user's state is at 0; ask again in a moment"
        )
        version = penchant.embed(["a"]).encoder_version
        with pytest.raises(EncoderUnavailable) as missing:
            penchant.embed(["a"], encoder_version="0000000000000000", timeout_s=30)
        assert str(missing.value).startswith(
            "encoder: 0000000000000000 is needed, but the configured one is "
            f"{version} and no release here has it"
        )
