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


def ask(penchant: Penchant) -> None:
    home = HomeClient(penchant, language="en", never_without_confirmation=("fan",))
    home.register([Entity("light.bed", "bedside lamp", room="bedroom", aliases=("lamp",))])
    said = home.interpret("it's too dark in here", user="ann", room="bedroom")
    assert_type(said, Interpretation)
    assert_type(said.act, Action | None)
    assert_type(said.suggestions, tuple[Suggestion, ...])
    assert_type(said.acts, tuple[Action, ...])
    assert_type(home.accepted(said), FeedbackAck)
    dim = Action("HassLightSet", "light.bed", Brightness(percent=20))
    assert_type(home.overridden(said, by=dim), FeedbackAck)


async def ask_later(penchant: AsyncPenchant) -> None:
    home = AsyncHomeClient(penchant)
    said = await home.interpret("hello", user="ann", room="")
    assert_type(said, Interpretation)
    assert_type(await home.undone(said), FeedbackAck)
