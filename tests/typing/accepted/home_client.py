"""Code that must type-check: the smart home's clients."""

from __future__ import annotations

from typing import assert_type

from penchant_sdk import AsyncPenchant, FeedbackAck, Penchant
from penchant_sdk.home import (
    Action,
    AsyncHomeClient,
    Brightness,
    Entity,
    HomeClient,
    Interpretation,
    Suggestion,
)

home = HomeClient(Penchant("localhost:8001"), language="en", never_without_confirmation=("fan",))
home.register([Entity("light.bed", "bedside lamp", room="bedroom", aliases=("night light",))])
said = home.interpret("it's too dark in here", user="ann", room="bedroom")
assert_type(said, Interpretation)
assert_type(said.act, Action | None)
assert_type(said.suggestions, tuple[Suggestion, ...])
assert_type(home.accepted(said), FeedbackAck)
dim = Action("HassLightSet", "light.bed", Brightness(percent=20))
assert_type(home.overridden(said, by=dim), FeedbackAck)


async def ask(penchant: AsyncPenchant) -> None:
    twin = AsyncHomeClient(penchant)
    assert_type(await twin.interpret("hello", user="ann", room=""), Interpretation)
    assert_type(await twin.undone(said), FeedbackAck)
